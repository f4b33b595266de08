"""The command line: parse, call one function, print. Data goes to stdout, everything else to stderr."""

import os
import sys
import warnings
from typing import Any

import click

from autoreg import __version__
from autoreg.cli.compress import compress
from autoreg.cli.data import data
from autoreg.cli.database import rebuild, verify
from autoreg.cli.export import export
from autoreg.cli.forget import forget
from autoreg.cli.help import EXIT_CODES, TitledGroup
from autoreg.cli.init.command import init
from autoreg.cli.list import list_
from autoreg.cli.options import print_text
from autoreg.cli.plan import plan
from autoreg.cli.query import query
from autoreg.cli.report import report
from autoreg.cli.show import show
from autoreg.cli.status import status
from autoreg.cli.sweep import sweep
from autoreg.cli.trial import trial
from autoreg.errors import AutoregError, ConfigError, DataError, DataWarning, Interrupted, first_line
from autoreg.orchestrator.ray_runtime.stuck import is_stuck


def print_version(context: click.Context, _: click.Parameter, is_wanted: bool) -> None:
    """Print the versions that a report of a bug needs, and end."""
    if not is_wanted or context.resilient_parsing:
        return
    from importlib.metadata import version
    from platform import python_version

    parts = ", ".join(f"{name} {version(name)}" for name in ("torch", "ray", "optuna", "duckdb"))
    click.echo(f"autoreg {__version__} (Python {python_version()}, {parts})")
    context.exit()


@click.group(
    cls=TitledGroup,
    titles={
        "Run": [sweep, plan, trial, init, data],
        "Inspect": [status, list_, show, query],
        "Report": [report, export, compress],
        "Maintain": [verify, rebuild, forget],
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=print_version,
    help="Show the versions of autoreg and of what it stands on.",
)  # fmt: skip
def cli() -> None:
    """Sweeps over width that measure removable and repeated units of neural networks.

    \b
    autoreg sweep quickstart           # train, tune, measure; no data needed
    autoreg report --figure B5         # draw the figure
    autoreg status                     # how far the sweeps are

    Pages of the sources: docs/quickstart.md, five minutes to a figure of your own; docs/commands.md, all commands.
    For completion in your shell, also zsh_source or fish_source: eval "$(_AUTOREG_COMPLETE=bash_source autoreg)"
    """  # noqa: D301


def _show_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any
) -> None:
    """Print what is to be said of data as one line, and any other warning as Python does."""
    if issubclass(category, DataWarning):
        print_text(f"note: {message}", err=True)
    else:
        click.echo(warnings.formatwarning(message, category, filename, lineno), err=True, nl=False)


def main() -> None:
    """Run the command line; errors and notes of ours are one line on stderr, errors also an exit code."""
    status = _run()
    if is_stuck():  # a thread that waits in Ray would crash when Python ends
        sys.stdout.flush()
        os._exit(status)
    if status:
        sys.exit(status)


def _run() -> int:
    """Run the command line and return the exit code."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default", DataWarning)
            warnings.showwarning = _show_warning
            cli.main(prog_name="autoreg", standalone_mode=False)
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            raise
        return ended.code
    except AutoregError as error:
        print_text("\n".join(f"autoreg: {line}" for line in str(error).split("\n")), err=True)
        return error.exit_code
    except OSError as error:  # a full disk, a folder that may not be written: wherever it shows
        where = f"{error.filename} cannot be read or written: " if error.filename else ""
        print_text(f"autoreg: {where}{error.strerror or first_line(error)}", err=True)
        return DataError.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ConfigError.exit_code
    except click.ClickException as error:
        text = " ".join(error.format_message().split()).rstrip(".")
        where = f"; see `{error.ctx.command_path} --help`" if isinstance(error, click.UsageError) and error.ctx else ""
        print_text(f"autoreg: {text}{where}", err=True)
        return ConfigError.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("autoreg: stopped", err=True)
        return Interrupted.exit_code
    return 0
