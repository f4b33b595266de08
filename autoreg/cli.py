"""The command line: parse, call one function, print. Data goes to stdout, everything else to stderr."""

import sys
from pathlib import Path

import click

from autoreg import __version__
from autoreg.cli_report import report
from autoreg.cli_results import (
    export,
    list_,
    print_text,
    query,
    rebuild,
    verify,
)
from autoreg.cli_show import show
from autoreg.cli_status import status
from autoreg.cli_sweep import sweep
from autoreg.errors import AutoregError, ConfigError, DataError, Interrupted, first_line


class _Commands(click.Group):
    """Answers an unknown command with the nearest."""

    def resolve_command(
        self, context: click.Context, words: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if words and words[0] not in self.commands and not words[0].startswith("-"):
            from autoreg.registry import did_you_mean

            raise click.UsageError(f"unknown command {words[0]!r}{did_you_mean(words[0], self.commands)}")
        return super().resolve_command(context, words)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="autoreg")
def cli() -> None:
    """Sweeps over width that measure removable and repeated units of neural networks.

    \b
    autoreg sweep quickstart           train, tune, measure; no data needed
    autoreg report --all               draw every figure that has trials
    autoreg status                     how far the sweeps are
    """  # noqa: D301


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--name", default="my_sweep", show_default=True, help="The sweep's name, and its file's.")
@click.option(
    "--pictures",
    type=click.Path(path_type=Path),
    help="Your pictures, a folder for each class; else made-up data.",
)
@click.option("--size", type=click.IntRange(8, 1024), default=64, show_default=True, help="Side of the pictures.")
def init(folder: Path, name: str, pictures: Path | None, size: int) -> None:
    """Write a commented sweep and a network of your own to begin with, and a JSON Schema for your editor.

    \b
    autoreg init --pictures ~/pictures/pets
    autoreg sweep my_sweep.yaml && autoreg report --html
    """  # noqa: D301
    from autoreg.starter import write_starter

    paths = write_starter(folder, name, pictures, size)
    click.echo("\n".join(map(str, paths)))
    inside = "" if folder == Path() else f"cd {folder} && "
    click.echo(f"what it would run: {inside}autoreg sweep {paths[0].name} --dry-run", err=True)


@cli.command()
@click.argument("dataset", type=click.Choice(["cifar10"]))
@click.option("--root", type=click.Path(path_type=Path), required=True, help="The folder to put it in.")
def data(dataset: str, root: Path) -> None:
    """Fetch a dataset from its official site, for machines with a network."""
    from autoreg.datasets.cifar10_files import download

    download(root)
    click.echo(f"{dataset} is in {root}; use it with AUTOREG_DATA={root}", err=True)


for _command in (sweep, report, export, list_, query, rebuild, show, status, verify):
    cli.add_command(_command)


def main() -> None:
    """Run the command line; errors of ours are one line on stderr and an exit code."""
    try:
        cli.main(prog_name="autoreg", standalone_mode=False)
    except AutoregError as error:
        print_text("\n".join(f"autoreg: {line}" for line in str(error).split("\n")), err=True)
        sys.exit(error.exit_code)
    except OSError as error:  # a full disk, a folder that may not be written: wherever it shows
        print_text(f"autoreg: {first_line(error)}", err=True)
        sys.exit(DataError.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(ConfigError.exit_code)
    except click.ClickException as error:
        where = f"; see `{error.ctx.command_path} --help`" if isinstance(error, click.UsageError) and error.ctx else ""
        print_text(f"autoreg: {' '.join(error.format_message().split()).rstrip('.')}{where}", err=True)
        sys.exit(ConfigError.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("autoreg: stopped at once; the same command goes on from the last saved states", err=True)
        sys.exit(Interrupted.exit_code)
