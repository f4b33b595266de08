"""The options that several commands have, and how they print."""

import json
import re
from pathlib import Path
from typing import Any

import click

from autoreg.errors import ConfigError, printable

OVERRIDES = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key: training.epochs=3."
)


def _is_here(_: click.Context, option: click.Parameter, path: Path) -> Path:
    """Refuse a URL, of which a folder `s3:` would be made."""
    if re.match("[a-z][a-z0-9+.-]+:/", str(path)):
        raise ConfigError(f"{option.opts[0]} is a path on this machine, got a URL: mount what {path} names")
    return path


DATABASE = click.option(
    "--db", "database", type=click.Path(path_type=Path), default=Path("results.db"), show_default=True,
    callback=_is_here, help="The result database.",
)  # fmt: skip
RUNS = click.option(
    "--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
    callback=_is_here, help="The run folder.",
)  # fmt: skip
RAW = click.option(
    "--raw",
    is_flag=True,
    help="CSV cells as they are; otherwise a text that a spreadsheet would run has a ' before it.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def require_csv(raw: bool, form: str | None) -> None:
    """Raise ConfigError if cells of something else than CSV are to be raw."""
    if raw and form != "csv":
        raise ConfigError("--raw is for --format csv; no other format changes a cell")


def print_text(text: str, *, err: bool = False) -> None:
    """Print lines in which words of files stand."""
    for line in text.split("\n"):
        click.echo(printable(line), err=err)


def print_json(value: Any) -> None:
    """Print JSON for a program."""
    click.echo(json.dumps(value, indent=1, default=str))


def print_columns(rows: list[list[str]]) -> None:
    """Print rows with aligned columns."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def as_text(value: Any, digits: int = 10, missing: str = "") -> str:
    """Return a value as people read it: 0.1 + 0.2 is 0.3."""
    return missing if value is None else f"{value:.{digits}g}" if isinstance(value, float) else str(value)
