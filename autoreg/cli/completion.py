"""What a shell completes: names of sweeps, figures, tables and trials; without any heavy import, for a key press."""

import re
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from autoreg.packaged import figure_name, figure_names, sweep_names


def sweeps(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    """Return the packaged sweeps that begin so; else files are completed."""
    return _names_or_file(sweep_names(), begun, begun)


def figures(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    """Return the figures that begin so, in whatever case; else files are completed: a figure may be one's own."""
    return _names_or_file(figure_names(), figure_name(begun), begun)


def trials(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Return the trials of the run folder that begin so."""
    runs = context.params.get("runs") or Path("runs")
    names = (path.name for path in Path(runs).glob("*"))
    return sorted(name for name in names if name.startswith(begun) and re.fullmatch(r"[0-9a-f]+-r\d+", name))


def _names_or_file(names: list[str], beginning: str, begun: str) -> list[CompletionItem[str]]:
    items = [CompletionItem(name) for name in names if name.startswith(beginning)]
    return items or [CompletionItem(begun, type="file")]
