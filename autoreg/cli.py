"""The command line: parse, call one function, print. Data goes to stdout, everything else to stderr."""

import sys
from pathlib import Path

import click

from autoreg import __version__
from autoreg.cli_export import export
from autoreg.cli_help import HELP, Choice, Group, command, mistake, option
from autoreg.cli_report import report
from autoreg.cli_results import (
    list_,
    print_text,
    query,
    rebuild,
    verify,
)
from autoreg.cli_show import show
from autoreg.cli_status import status
from autoreg.cli_sweep import sweep
from autoreg.completion import PLACES, completion_script
from autoreg.errors import AutoregError, ConfigError, DataError, Interrupted, first_line


def print_version(context: click.Context, _: click.Parameter, is_wanted: bool) -> None:
    """Print the versions that a report of a bug needs, and end."""
    if not is_wanted or context.resilient_parsing:
        return
    from importlib.metadata import version
    from platform import python_version

    parts = ", ".join(f"{name} {version(name)}" for name in ("torch", "ray", "optuna", "duckdb"))
    click.echo(f"autoreg {__version__} (Python {python_version()}, {parts})")
    context.exit()


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@option(
    "--version", group=HELP, is_flag=True, is_eager=True, expose_value=False, callback=print_version,
    help="Show the versions of autoreg and of what it stands on.",
)  # fmt: skip
def cli() -> None:
    """Sweeps over width that measure removable and repeated units of neural networks.

    \b
    autoreg sweep quickstart           # train, tune, measure; no data needed
    autoreg report --figure B5         # draw the figure
    autoreg status                     # how far the sweeps are

    Pages of the sources: docs/quickstart.md, five minutes to a figure of your own; docs/commands.md, all commands.
    """  # noqa: D301


@command("Run")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--name", metavar="NAME", default="my_sweep", show_default=True, help="The sweep's name, and its file's.")
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


@command("Run")
@click.argument("dataset", type=Choice(["cifar10"]), metavar="DATASET")
@option(
    "--root", group="Where", type=click.Path(path_type=Path), required=True,
    help="The folder to put it in.",
)  # fmt: skip
def data(dataset: str, root: Path) -> None:
    """Fetch a dataset from its official site: cifar10.

    \b
    autoreg data cifar10 --root data
    AUTOREG_DATA=data autoreg sweep cifar_init
    """  # noqa: D301
    from autoreg.datasets.cifar10_files import download

    download(root)
    click.echo(f"{dataset} is in {root}; use it with AUTOREG_DATA={root}", err=True)


@command("Shell")
@click.argument("shell", type=Choice(list(PLACES)), metavar="SHELL")
def completion(shell: str) -> None:
    """Print the script for completion in a shell: bash, zsh or fish.

    Completed are commands, options, choices, sweeps, figures, tables, and the trials in the run folder.

    \b
    eval "$(autoreg completion bash)"          # in ~/.bashrc
    eval "$(autoreg completion zsh)"           # in ~/.zshrc, below compinit
    autoreg completion fish | source           # in ~/.config/fish/config.fish
    """  # noqa: D301
    click.echo(completion_script(cli, shell), nl=False)


for _command in (sweep, init, data, status, list_, show, query, report, export, verify, rebuild, completion):
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
        print_text(f"autoreg: {mistake(error)}", err=True)
        sys.exit(ConfigError.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("autoreg: stopped", err=True)
        sys.exit(Interrupted.exit_code)
