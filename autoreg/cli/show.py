"""`autoreg show`: a trial with its settings, curves, scores and files, as text."""

from pathlib import Path
from typing import Any

import click

from autoreg.cli import completion
from autoreg.cli.options import JSON, RUNS, as_text, print_columns, print_json, print_text
from autoreg.errors import ConfigError


@click.command()
@click.argument("trial", shell_complete=completion.trials)
@RUNS
@click.option("--log", "as_log", is_flag=True, help="Print its log: starts, epochs, warnings, errors.")
@JSON
def show(trial: str, runs: Path, as_log: bool, as_json: bool) -> None:
    """Show a trial in the run folder: what it is, how it ended, its curves, scores and files.

    \b
    autoreg show 3f2a
    autoreg show 3f2a --json
    autoreg show 3f2a --log

    The first digits of its id are enough.
    """  # noqa: D301
    from autoreg.report.trial import trial_details, trial_log
    from autoreg.runs.folder import Runs

    if as_log and as_json:
        raise ConfigError("--log prints lines, and no JSON: leave one of both out")
    if as_log:
        print_text(trial_log(Runs(runs), trial).rstrip("\n"))
        return
    details = trial_details(Runs(runs), trial)
    if as_json:
        print_json(details)
        return
    for section in ("config", "result", "environment"):
        _print_section(section, [[name, _plain(value)] for name, value in details[section].items()])
    _print_section("curves", [curve(name, details["epochs"]) for name in CURVES if details["epochs"]])
    scores = [{name: as_text(value, 4, "–") for name, value in row.items()} for row in details["scores"]]
    _print_section("scores", [list(scores[0]), *(list(row.values()) for row in scores)] if scores else [])
    _print_section("files", [[name, f"{size:,} bytes"] for name, size in details["files"].items()])


#: What `show` draws of the epochs.
CURVES = ("train_loss", "validation_loss", "train_accuracy", "validation_accuracy")
COLUMNS_OF_A_CURVE = 60


def _print_section(title: str, rows: list[list[str]]) -> None:
    if rows:
        click.echo(title)
        print_columns([["", *row] for row in rows])


def _plain(value: Any) -> str:
    """Return a value as a sweep file has it: a choice is its name, with its options if it has any."""
    if isinstance(value, dict) and "name" in value:
        inside = ", ".join(f"{name}: {option}" for name, option in value["options"].items())
        return f"{value['name']} ({inside})" if inside else str(value["name"])
    return as_text(value, missing="–")


def curve(name: str, epochs: list[dict[str, Any]]) -> list[str]:
    """Return a curve's name, its course as blocks of eight heights, and its first, lowest, highest and last value."""
    values = [row[name] for row in epochs]
    known = [value for value in values if value is not None]
    if not known:
        return [name, "", "no finite value"]
    low, high = min(known), max(known)
    count = min(len(values), COLUMNS_OF_A_CURVE)
    shown = [values[place * (len(values) - 1) // max(1, count - 1)] for place in range(count)]
    heights = " ▁▂▃▄▅▆▇█"
    blocks = "".join(
        heights[0] if value is None else heights[1 + round(7 * (value - low) / ((high - low) or 1.0))]
        for value in shown
    )
    return [name, blocks, f"{as_text(known[0], 4)} → {as_text(known[-1], 4)}, {as_text(low, 4)}–{as_text(high, 4)}"]
