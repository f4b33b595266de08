"""The commands on what there is: results.db and the run folder; with the options that several commands have."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from autoreg.errors import (
    AutoregError,
    ConfigError,
    DamagedDatabase,
    DatabaseError,
    DataError,
    printable,
)

DATABASE = click.option(
    "--db", "database", type=click.Path(path_type=Path), default=Path("results.db"), show_default=True,
    help="The result database.",
)  # fmt: skip
RUNS = click.option(
    "--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="The run folder."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


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


@click.command("list")
@click.argument("kind", type=click.Choice(LISTS), metavar="KIND")
@DATABASE
@JSON
def list_(kind: str, database: Path, as_json: bool) -> None:
    """List what there is of a kind: what a sweep may name, or the trials in results.db."""
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
        from autoreg.figures import figure_names

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


@click.command()
@click.argument("sql")
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json", "parquet"]), default="table", show_default=True,
    help="How the rows are printed; Parquet needs a file or a pipe.",
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
        click.echo(_flat(frame).write_csv(), nl=False)
    elif form == "json":
        click.echo(json.dumps(_without_nan(frame).to_dicts(), indent=1, default=str))
    elif form == "parquet":
        frame.write_parquet(sys.stdout.buffer, compression="zstd")
    else:
        cells = [["" if value is None else str(value) for value in row] for row in frame.rows()]
        print_columns([frame.columns, *cells])


def _without_nan(frame: Any) -> Any:
    """Return a frame with null where JSON has no number: NaN and infinity."""
    import polars as pl

    floats = [name for name, kind in frame.schema.items() if kind.is_float()]
    return frame.with_columns(pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in floats)


def _flat(frame: Any) -> Any:
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


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--format", "form", type=click.Choice(["parquet", "csv"]), default="parquet", show_default=True,
    help="Of the files; CSV has lists as JSON.",
)  # fmt: skip
@click.option("--views", is_flag=True, help="The views too: final_trials, auc, figure_6, …")
@DATABASE
def export(folder: Path, form: str, views: bool, database: Path) -> None:
    """Write every table of results.db to a folder, one Parquet or CSV file each, for other programs.

    \b
    autoreg export tables
    autoreg export tables --format csv --views
    """  # noqa: D301
    from autoreg import database as databases
    from autoreg.runs import write_atomically

    connection = databases.open_for_reading(database)
    try:
        for name in databases.table_names(connection, views):
            frame = databases.query(connection, f'from "{name}"')
            path = folder / f"{name}.{form}"
            write_atomically(path, partial(_write_frame, frame, form))
            click.echo(path)
    finally:
        connection.close()


def _write_frame(frame: Any, form: str, path: Path) -> None:
    _flat(frame).write_csv(path) if form == "csv" else frame.write_parquet(path, compression="zstd")


@click.command()
@DATABASE
@RUNS
def verify(database: Path, runs: Path) -> None:
    """Compare results.db with the run folder, row for row, and name what is missing or damaged; nothing is changed.

    It takes as long as `autoreg rebuild`, and room for two databases in the temporary folder. While a sweep runs, what
    it has not written yet is missing. Checkpoints are checked by `autoreg sweep` when it reads them.
    """
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


@click.command()
@DATABASE
@RUNS
def rebuild(database: Path, runs: Path) -> None:
    """Make results.db again from the run folder, which is not changed."""
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
        raise DataError(f"the run folder {runs} does not exist")
