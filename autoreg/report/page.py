"""One self-contained page of all that results.db shows: figures, verdicts, tables, sweeps; no request leaves it."""

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
import polars as pl
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure

from autoreg.config.sweep import load_definition
from autoreg.database.connection import path_of, query
from autoreg.database.queries import sweep_status
from autoreg.database.schema import Connection
from autoreg.errors import ConfigError, DataError
from autoreg.files import write_text
from autoreg.packaged import CAPACITY, RICHNESS, VERDICTS, table_names
from autoreg.report.figure import figures_with_data, picture, read_figure
from autoreg.report.figures import residuals
from autoreg.report.figures.source import find_figures
from autoreg.report.figures.style import SETTINGS, as_names, fonts_for
from autoreg.report.formats import as_csv, numeric_columns, shown_cells
from autoreg.report.provenance import trained_with, versions
from autoreg.report.table import read_table

#: What the page calls the tables, in its order.
TITLES = {
    VERDICTS: "Verdicts",
    CAPACITY: "Verdicts on compressed width",
    RICHNESS: "Verdicts on compressed width by richness",
    "comparison": "Beside the paper",
    "1": "Table 1: how each network was trained",
}


def report_page(connection: Connection, out: Path, definition: str = "released", sweep: str | None = None) -> Path:
    """Write `report.html` with every figure and table that has trials, and return its path.

    Args:
        connection: to results.db.
        out: the folder to write to.
        definition: `released` or `text`, of removability and similarity.
        sweep: a sweep's name or id, to show that alone.

    Raises:
        DataError: results.db has no sweep yet.
        DatabaseError: it cannot be read.
    """
    sweeps = list(_sweeps(connection, sweep))
    if not sweeps:
        raise DataError(f"{path_of(connection)} has no sweep{f' {sweep!r}' if sweep else ''} yet")
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    page = environment.get_template("page.html.j2").render(
        database=path_of(connection).name,
        definition=definition,
        figures=list(_figures(connection, definition, sweep)),
        tables=list(_tables(connection, sweep)),
        sweeps=sweeps,
        versions=versions(),
        made_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )
    path = out / "report.html"
    write_text(path, page)
    return path


def _figures(connection: Connection, definition: str, sweep: str | None) -> Iterator[dict[str, Any]]:
    for source in [source for name in figures_with_data(connection, sweep) for source in find_figures(name)]:
        with suppress(DataError):  # its sweep has no measured trial yet
            rows = read_figure(connection, source, definition, sweep)
            yield {
                "rows": rows,
                "title": source.sql().partition("\n")[0].removeprefix("-- ").rstrip("."),
                "picture": _svg(rows.draw()),
                "csv": _data_uri("text/csv", rows.as_csv().encode()),
                "table": _table(rows.frame.drop("trials", "definition", strict=False)),
            }


def _tables(connection: Connection, sweep: str | None) -> Iterator[dict[str, Any]]:
    for name in sorted(table_names(), key=[*TITLES, *table_names()].index):
        with suppress(DataError):
            table = read_table(connection, name, sweep)
            with mpl.rc_context({**SETTINGS, "font.family": fonts_for(table.frame)[0]}):
                drawn = residuals.draw(as_names(table.frame)) if name == "comparison" else None
            yield {
                "name": name,
                "title": TITLES.get(name, f"Table {name}"),
                "picture": _svg(drawn) if drawn else None,
                "csv": _data_uri("text/csv", as_csv(table.frame).encode()),
                "table": _table(table.shown),
            }


def _sweeps(connection: Connection, sweep: str | None) -> Iterator[dict[str, Any]]:
    """Yield each sweep with how far it is, what it asks for as YAML, and what its trials were run with."""
    of_it = "from sweeps left join sweep_trials using (sweep_id) left join trials using (trial_id) where sweep_id = $id"
    facts = f"""
        select
            any_value(definition)::varchar as definition,
            coalesce(string_agg(distinct device, ', ' order by device), '') as devices,
            coalesce(sum(seconds), 0) / 3600 as hours
        {of_it}
    """
    for row in sweep_status(connection):
        if sweep in (None, row["name"], row["sweep_id"]):
            [more] = query(connection, facts, id=row["sweep_id"]).to_dicts()
            trained = trained_with(connection, row["sweep_id"])
            yield {**row, **more, "definition": _as_yaml(more["definition"]), "environment": trained}


def _table(frame: pl.DataFrame) -> dict[str, Any]:
    head, *rows = shown_cells(frame.with_columns(pl.col(pl.List(pl.String)).list.join(" ")))
    return {"head": head, "rows": rows, "numeric": numeric_columns(frame)}


def _as_yaml(definition: str) -> str:
    """Return what a sweep asks for as its file might have it, what repeats a default left out."""
    try:
        asked = load_definition(definition).model_dump(mode="json", exclude_defaults=True)
    except ConfigError:  # of another version
        asked = json.loads(definition)
    text: str = yaml.safe_dump(asked, sort_keys=False, allow_unicode=True, width=100)
    return text


def _svg(figure: Figure) -> str:
    """Return a picture that scales; its letters are drawn as paths, so that they look the same everywhere."""
    with mpl.rc_context({**SETTINGS, "svg.fonttype": "path", "svg.hashsalt": "autoreg"}):
        return _data_uri("image/svg+xml", picture(figure, "svg", transparent=True))


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
