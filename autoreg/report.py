"""Reports: a view's rows, drawn and written as PNG, PDF and CSV, with a JSON file that says where they came from."""

import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import matplotlib as mpl
import polars as pl
from matplotlib.figure import Figure

from autoreg import __version__
from autoreg.config import format_width
from autoreg.database import open_for_reading, query
from autoreg.errors import ConfigError, DataError
from autoreg.figures import drawing_of, figure_names, view_of
from autoreg.figures.style import SETTINGS
from autoreg.ingest import Connection
from autoreg.packaged import find_sweep, sweep_names
from autoreg.runs import write_atomically, write_text
from autoreg.sweep import load_definition
from autoreg.sweep_file import load_sweep

FORMATS = ("png", "pdf")


def report_figure(
    database: Path, figure: str, out: Path, definition: str = "released", sweep: str | None = None
) -> tuple[list[Path], list[str]]:
    """Draw a figure from results.db and return the files written and one line for each missing trial.

    Args:
        database: results.db, opened read-only.
        figure: a figure's name, for example `6` or `B5`.
        out: the folder to write to.
        definition: `released` or `text`: which of the two definitions of removability and similarity is shown.
        sweep: a sweep's name or id; None takes the latest sweep that feeds this figure.

    Raises:
        ConfigError: there is no such figure, or no such sweep.
        DataError: results.db has no trial for it.
    """
    view, draw = view_of(figure), drawing_of(figure)
    connection = open_for_reading(database)
    try:
        sweep_id = _find_sweep(connection, figure.upper(), sweep)
        frame = query(connection, f"select * from {view} where sweep_id = $sweep_id", sweep_id=sweep_id)
        missing = missing_trials(connection, sweep_id)
    finally:
        connection.close()
    if "definition" in frame.columns:
        frame = frame.filter(pl.col("definition") == definition)
    frame = _one_split(frame)
    if frame.is_empty():
        raise DataError(f"figure {figure} has no measured trial yet in {database}; missing:\n  " + "\n  ".join(missing))
    frame = frame.sort([name for name in frame.columns if not isinstance(frame.schema[name], pl.List)])
    return _write(draw(frame), frame, view, out, sweep_id, definition, missing), missing


def figures_with_data(database: Path) -> list[str]:
    """Return the figures for which results.db has a sweep."""
    connection = open_for_reading(database)
    try:
        fed = query(connection, "select distinct unnest(figures) as figure from sweeps")["figure"].to_list()
    finally:
        connection.close()
    return [name for name in figure_names() if name in {figure.upper() for figure in fed}]


def missing_trials(connection: Connection, sweep_id: str) -> list[str]:
    """Return one line for each setting of a sweep that lacks final trials: how many, and why where it is known."""
    rows = query(connection, "select definition::varchar as definition from sweeps where sweep_id = $id", id=sweep_id)
    sweep = load_definition(rows["definition"][0])
    finals = query(connection, "select group_id, state from final_states where sweep_id = $id", id=sweep_id)
    lines = []
    for group in sweep.groups():
        states = finals.filter(pl.col("group_id") == group.template.config_id)["state"].to_list()
        states += ["not run"] * (group.final_count - len(states))
        lacking = [state for state in states if state != "measured"]
        if lacking:
            counts = ", ".join(f"{lacking.count(state)} {state}" for state in dict.fromkeys(lacking))
            template = group.template
            setting = f"{template.network} {format_width(template.width)}x {template.initializer}"
            lines.append(f"{setting}: {len(lacking)} of {group.final_count} trials ({counts})")
    return lines


def _find_sweep(connection: Connection, figure: str, sweep: str | None) -> str:
    fed = query(connection, "select sweep_id, name, figures from sweeps order by updated_at desc")
    fed = fed.filter(pl.col("figures").list.contains(figure))
    if sweep:
        names = fed["name"].unique(maintain_order=True).to_list()
        if sweep not in {*names, *fed["sweep_id"].to_list()}:
            there = ", ".join(names) or "none"
            raise ConfigError(f"no sweep {sweep!r} feeds figure {figure} (those in results.db that do: {there})")
        fed = fed.filter((pl.col("name") == sweep) | (pl.col("sweep_id") == sweep))
    if fed.is_empty():
        makers = [name for name in sweep_names() if figure in load_sweep(find_sweep(name)).sweep.figures]
        advice = "; run: " + " or ".join(f"autoreg sweep sweeps/{name}.yaml" for name in makers) if makers else ""
        raise DataError(f"figure {figure} needs trials, and results.db has no sweep that feeds it{advice}")
    found: str = fed["sweep_id"][0]
    return found


def _one_split(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the test split, or of the only one that was measured."""
    splits = frame["split"].unique().sort().to_list()
    shown = "test" if "test" in splits or not splits else splits[-1]
    return frame.filter(pl.col("split") == shown)


def _write(
    figure: Figure, frame: pl.DataFrame, view: str, out: Path, sweep_id: str, definition: str, missing: list[str]
) -> list[Path]:
    paths = []
    with mpl.rc_context(SETTINGS):
        for kind in FORMATS:
            path = out / f"{view}.{kind}"
            metadata = {"CreationDate": None} if kind == "pdf" else None
            write_atomically(
                path,
                lambda temporary, kind=kind, metadata=metadata: figure.savefig(  # type: ignore[misc]
                    temporary, format=kind, dpi=160, metadata=metadata
                ),
            )
            paths.append(path)
    trials = sorted({trial for cell in frame["trials"].to_list() for trial in cell})
    table = frame.with_columns(pl.col(pl.List(pl.String)).list.join(" "))
    write_atomically(out / f"{view}.csv", table.write_csv)
    facts = {
        "view": view,
        "definition": definition,
        "sweep_id": sweep_id,
        "sweep": frame["sweep"][0],
        "trials": trials,
        "missing": missing,
        "versions": {"autoreg": __version__} | {name: version(name) for name in ("duckdb", "matplotlib", "polars")},
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_text(out / f"{view}.json", json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    return [*paths, out / f"{view}.csv", out / f"{view}.json"]


def sweep_status(database: Path) -> list[dict[str, Any]]:
    """Return one dict for each sweep in results.db: how many of its trials are done, measured and failed."""
    connection = open_for_reading(database)
    try:
        rows = query(connection, "select * from sweep_status order by updated_at").to_dicts()
    finally:
        connection.close()
    for row in rows:
        sweep = load_definition(row.pop("definition"))
        row["final_trials"], row["tuning_trials"] = sweep.final_count, sweep.tuning_count
    return rows


def trial_rows(database: Path) -> list[dict[str, Any]]:
    """Return one dict for each trial in results.db."""
    columns = "trial_id, kind, network, width, initializer, learning_rate, batch_size, replicate, status, test_accuracy"
    connection = open_for_reading(database)
    try:
        return query(connection, f"select {columns} from trials order by network, width, kind, trial_id").to_dicts()
    finally:
        connection.close()
