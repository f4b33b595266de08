"""`autoreg init`: files to begin with."""

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--name", metavar="NAME", default="my_sweep", show_default=True, help="The sweep's name, and its file's.")
@click.option(
    "--images",
    type=click.Path(path_type=Path),
    help="Your images, a folder for each class; else made-up data.",
)
@click.option("--size", type=click.IntRange(8, 1024), default=64, show_default=True, help="Side of the images.")
def init(folder: Path, name: str, images: Path | None, size: int) -> None:
    """Write a commented sweep and a network of your own to begin with, and a JSON Schema for your editor.

    \b
    autoreg init --images ~/images/pets
    autoreg sweep my_sweep.yaml && autoreg report --html
    """  # noqa: D301
    from autoreg.cli.init.starter import write_starter

    paths = write_starter(folder, name, images, size)
    click.echo("\n".join(map(str, paths)))
    inside = "" if folder == Path() else f"cd {folder} && "
    click.echo(f"what it would run: {inside}autoreg plan {paths[0].name}", err=True)
