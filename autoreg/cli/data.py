"""`autoreg data`: fetch a dataset."""

from pathlib import Path

import click

from autoreg.cli.help import OneOf


@click.command()
@click.argument("dataset", type=OneOf(["cifar10"]), metavar="DATASET")
@click.option(
    "--root", type=click.Path(path_type=Path), required=True,
    help="The folder to put it in.",
)  # fmt: skip
def data(dataset: str, root: Path) -> None:
    """Fetch a dataset from its official site: cifar10.

    \b
    autoreg data cifar10 --root data
    AUTOREG_DATA=data autoreg sweep cifar_init
    """  # noqa: D301
    from autoreg.datasets.images.cifar10_files import download

    download(root)
    click.echo(f"{dataset} is in {root}; use it with AUTOREG_DATA={root}", err=True)
