"""The commands on what there is: results.db and the run folder; with the options that several commands have."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from autoreg.cli_help import Choice, command, option
from autoreg.errors import (
    AutoregError,
    ConfigError,
    DamagedDatabase,
    DatabaseError,
    DataError,
    printable,
)

DATABASE = option(
    "--db", "database", group="Where", type=click.Path(path_type=Path), default=Path("results.db"), show_default=True,
    help="The result database.",
)  # fmt: skip
RUNS = option(
    "--runs", group="Where", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
    help="The run folder.",
)  # fmt: skip
JSON = option("--json", "as_json", group="Output", is_flag=True, help="Print JSON.")


def print_text(text: str, *, err: bool = False) -> None:
    """Print lines in which words of files stand."""
    for line in text.split("\n"):
        click.echo(printable(line), err=err)


def print_columns(rows: list[list[str]]) -> None:
    """Print rows with aligned columns."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


LISTS = ("networks", "datasets", "initializers", "optimizers", "schedules", "metrics", "figures", "sweeps", "trials")


@command("Look", "list")
@click.argument("kind", type=Choice(LISTS), metavar="KIND")
@DATABASE
@JSON
def list_(kind: str, database: Path, as_json: bool) -> None:
    """List what there is of a kind: what a sweep may name with its options, figures, or the trials in results.db.

    Kinds: networks, datasets, initializers, optimizers, schedules, metrics, figures, sweeps, trials.

    \b
    autoreg list networks
    autoreg list trials
    """  # noqa: D301
    rows = _rows_of(kind, database)
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    if kind == "trials" and rows:
        rows.insert(0, {name: name for name in rows[0]})
    print_columns([["-" if value is None else str(value) for value in row.values()] for row in rows])


def _rows_of(kind: str, database: Path) -> list[dict[str, Any]]:
    if kind == "trials":
        from autoreg.listing import trial_rows

        return trial_rows(database)
    if kind == "figures":
        from autoreg.packaged import figure_names

        return [{"name": name} for name in figure_names()]
    if kind == "sweeps":
        from autoreg.packaged import find_sweep, sweep_names
        from autoreg.sweep_file import load_sweep

        loaded = {name: load_sweep(find_sweep(name)).sweep for name in sweep_names()}
        return [{"name": name, "figures": ", ".join(found.figures)} for name, found in loaded.items()]
    return _registered(kind)


def _registered(kind: str) -> list[dict[str, Any]]:
    import importlib

    modules = {"schedules": "optimizers"}
    registry = getattr(importlib.import_module(f"autoreg.{modules.get(kind, kind)}"), kind)
    return [{"name": name, "options": registry.signature(name)} for name in registry]


@command("Look")
@click.argument("sql")
@option(
    "--format", "form", group="Output", type=Choice(["table", "csv", "json", "parquet"]), default="table",
    show_default=True, help="How the rows are printed; a table rounds to ten digits, Parquet needs a file or a pipe.",
)  # fmt: skip
@DATABASE
def query(sql: str, form: str, database: Path) -> None:
    """Print the rows of a query on results.db; it waits while a sweep writes, and changes nothing.

    \b
    autoreg query "select width, avg(test_accuracy) from trials where kind = 'final' group by all order by all"
    autoreg query "from figure_b5" --format csv > b5.csv
    autoreg query "from ablation" --format parquet > ablation.parquet
    """  # noqa: D301
    from autoreg import database as databases

    if form == "parquet" and sys.stdout.isatty():
        raise ConfigError("Parquet is not for a terminal; put > FILE.parquet behind the command")

    connection = databases.open_for_reading(database)
    try:
        frame = databases.query(connection, sql)
    except DamagedDatabase:
        raise
    except DatabaseError as error:
        raise ConfigError(str(error)) from error
    finally:
        connection.close()
    if form == "csv":
        click.echo(flat(frame).write_csv(), nl=False)
    elif form == "json":
        click.echo(json.dumps(_without_nan(frame).to_dicts(), indent=1, default=str))
    elif form == "parquet":
        frame.write_parquet(sys.stdout.buffer, compression="zstd")
    else:
        print_columns([frame.columns, *([_short(value) for value in row] for row in frame.rows())])


def _short(value: Any) -> str:
    """Return a value as people read it: 0.1 + 0.2 is 0.3."""
    return "" if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)


def _without_nan(frame: Any) -> Any:
    """Return a frame with null where JSON has no number: NaN and infinity."""
    import polars as pl

    floats = [name for name, kind in frame.schema.items() if kind.is_float()]
    return frame.with_columns(pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in floats)


def flat(frame: Any) -> Any:
    """Return a frame whose lists, structures and bytes are texts, since CSV has none of them."""
    import polars as pl

    texts = [
        pl.Series(
            column.name, [None if value is None else json.dumps(value, default=str) for value in column.to_list()]
        )
        for column in frame
        if column.dtype.is_nested() or column.dtype == pl.Binary
    ]
    return frame.with_columns(texts)


@command("Care")
@DATABASE
@RUNS
def verify(database: Path, runs: Path) -> None:
    """Compare results.db with the run folder, row for row, and name what is missing or damaged; nothing is changed.

    It takes as long as `autoreg rebuild`, and room for two databases in the temporary folder. While a sweep runs, what
    it has not written yet is missing. Checkpoints are checked by `autoreg sweep` when it reads them.

    \b
    autoreg verify
    autoreg verify --db results.db --runs runs
    """  # noqa: D301
    from autoreg.runs import Runs
    from autoreg.verification import verify as find_differences

    _require_folder(runs)
    lines = find_differences(database, Runs(runs))
    for line in lines:
        print_text(line)
    if lines:
        click.echo(f"{database} and {runs} disagree; `autoreg rebuild` makes {database} again", err=True)
        sys.exit(AutoregError.exit_code)
    click.echo(f"{database} has every row of {runs}", err=True)


@command("Care")
@DATABASE
@RUNS
def rebuild(database: Path, runs: Path) -> None:
    """Make results.db again from the run folder, which is not changed.

    \b
    autoreg rebuild
    autoreg rebuild --db copy.db        # beside the one there is
    """  # noqa: D301
    from autoreg.runs import Runs
    from autoreg.writer import rebuild as rebuild_database

    _require_folder(runs)
    count, problems = rebuild_database(database, Runs(runs))
    for problem in problems:
        print_text(problem, err=True)
    click.echo(f"{count} trials in {database}", err=True)
    if problems:
        sys.exit(AutoregError.exit_code)


def _require_folder(runs: Path) -> None:
    if not runs.is_dir():
        raise DataError(f"the run folder {runs} does not exist; a sweep makes it, or --runs names another")
