"""What a shell completes: names of sweeps, figures, tables and trials; without any heavy import, for a key press."""

import re
from collections.abc import Iterable
from glob import escape
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from autoreg.packaged import figure_name, figure_names, sweep_names, table_names

#: Where each shell wants the script.
PLACES = {
    "bash": '~/.bashrc: eval "$(autoreg completion bash)"',
    "zsh": '~/.zshrc, below compinit: eval "$(autoreg completion zsh)"',
    "fish": "~/.config/fish/config.fish: autoreg completion fish | source",
}


def completion_script(cli: click.Command, shell: str) -> str:
    """Return what a shell runs to complete `autoreg`; a comment in it says where it belongs.

    Args:
        cli: the command line.
        shell: one of `PLACES`.
    """
    completer = get_completion_class(shell)
    assert completer is not None, shell
    source = completer(cli, {}, "autoreg", "_AUTOREG_COMPLETE").source()
    return re.sub(r"\A(#.*\n)?", lambda first: f"{first[0]}# {PLACES[shell]}\n", source, count=1)  # after `#compdef`


def sweeps(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    """Return the packaged sweeps and the sweep files here that begin so; else files are completed."""
    files = sorted(str(path) for path in Path().glob(f"{escape(begun)}*.y*ml")) if not begun.startswith("/") else []
    return _beginning([*sweep_names(), *files], begun) or [CompletionItem(begun, type="file")]


def figures(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    """Return the figures that begin so, in whatever case; else files are completed: a figure may be one's own."""
    return _beginning(figure_names(), figure_name(begun)) or [CompletionItem(begun, type="file")]


def sweeps_by_name(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    """Return the packaged sweeps that begin so."""
    return _beginning(sweep_names(), begun)


def tables(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    """Return the tables that begin so."""
    return _beginning(table_names(), begun)


def trials(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    """Return the trials of the run folder that begin so."""
    runs = context.params.get("runs") or Path("runs")
    try:
        names = sorted(path.name for path in Path(runs).iterdir() if re.fullmatch(r"[0-9a-f]+-r\d+", path.name))
    except OSError:
        return []
    return _beginning(names, begun)


def _beginning(names: Iterable[str], begun: str) -> list[CompletionItem[str]]:
    return [CompletionItem(name) for name in names if name.startswith(begun)]
