"""`autoreg init`: files to begin with."""

import json
import re
from pathlib import Path

import click

from autoreg.errors import ConfigError, DataError, shown
from autoreg.files import write_text


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
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from autoreg.cli.init.json_schema import sweep_schema

    if not re.fullmatch(r"[a-z0-9][a-z0-9_]{0,90}", name):
        raise ConfigError(f"a sweep's name has small letters, digits and underscores, got {shown(name)}")
    if images is not None and not images.is_dir():
        raise DataError(f"the folder {images} does not exist")
    module = f"{name}_network" if name[0].isalpha() else f"network_{name}"
    paths = [folder / f"{name}.yaml", folder / f"{module}.py", folder / "sweep.schema.json"]
    for path in paths[:2]:
        if path.exists():
            raise ConfigError(f"{path} is there already; choose another --name or another folder")
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    facts = {"name": name, "module": module, "images": str(images.resolve()) if images else None, "size": size}
    facts["batch_size"] = batch_size_for(images) if images else 64
    for path, template in zip(paths, ("sweep.yaml.j2", "network.py.j2"), strict=False):
        write_text(path, environment.get_template(template).render(facts))
    write_text(paths[2], json.dumps(sweep_schema(), indent=1, ensure_ascii=False) + "\n")
    click.echo("\n".join(map(str, paths)))
    inside = "" if folder == Path() else f"cd {folder} && "
    click.echo(f"what it would run: {inside}autoreg plan {paths[0].name}", err=True)


def batch_size_for(images: Path) -> int:
    """Return a batch size for which a folder has enough images, of which some are held out: at most 32.

    Raises:
        DataError: it has none.
    """
    files = sum(path.is_file() for path in images.glob("*/**/*"))
    if not files:
        raise DataError(f"the folder {images} must have a folder of images for each class, and has no file in any")
    return next((size for size in (32, 16, 8, 4, 2) if 4 * size <= files), 1)
