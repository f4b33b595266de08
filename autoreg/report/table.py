"""Reports as tables: a view's rows, or verdicts made from them, as Markdown, CSV and LaTeX."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from autoreg.database.connection import path_of, query
from autoreg.database.queries import chosen_sweeps
from autoreg.database.schema import Connection
from autoreg.errors import ConfigError, DataError, did_you_mean
from autoreg.files import write_text
from autoreg.packaged import CAPACITY, CLAIMS, RICHNESS, VERDICTS, table_names
from autoreg.report.formats import FORMATS

#: The paper's threshold of |r|, whose verdicts people see first.
THRESHOLD = 0.5
#: The share of labels unchanged at which people see compressed widths first.
TOLERANCE = 0.99


@dataclass(frozen=True)
class Table:
    """A table of a report.

    Attributes:
        name: one of `table_names`.
        frame: its rows with every column.
        shown: what is shown to people.
    """

    name: str
    frame: pl.DataFrame
    shown: pl.DataFrame

    def write(self, out: Path, formats: Iterable[str] = FORMATS) -> list[Path]:
        """Write some of `FORMATS` into a folder and return the files. The CSV has every row, column and digit."""
        paths = {kind: out / f"table_{self.name}.{kind}" for kind in formats}
        for kind, path in paths.items():
            write_text(path, FORMATS[kind](self.frame if kind == "csv" else self.shown))
        return list(paths.values())


def read_table(connection: Connection, table: str, sweep: str | None = None) -> Table:
    """Return a table of results.db.

    Of verdicts, people are shown those at |r| ≥ 0.5, the paper's threshold, with the other thresholds at which they are
    the same; of capacity and richness, those at 99 % of the labels; of claims, both definitions side by side.

    Args:
        connection: to results.db.
        table: one of `table_names`.
        sweep: a sweep's name or id; None shows the latest sweep of each name.

    Raises:
        ConfigError: there is no such table or sweep.
        DataError: results.db has no trial for it.
    """
    if table not in table_names():
        raise ConfigError(f"unknown table {table!r}{did_you_mean(table, table_names())}")
    made = {
        VERDICTS: (_verdicts, _main_verdicts),
        CAPACITY: (_capacity, _main_slopes),
        RICHNESS: (_richness, _main_slopes),
        CLAIMS: (_claims, _main_claims),
    }
    read, show = made.get(table, (partial(_rows_of, f"table_{table}"), lambda frame: frame))
    frame = read(connection, chosen_sweeps(connection, sweep))
    if frame.is_empty():
        raise DataError(f"table {table} has no row yet in {path_of(connection)}")
    frame = frame.sort([name for name in frame.columns if name != "sweep_id"])
    return Table(table, frame, show(frame).drop("sweep_id"))


def _rows_of(view: str, connection: Connection, sweeps: list[str]) -> pl.DataFrame:
    """Return the rows of a view that are of some sweeps."""
    return query(connection, f"select * from {view} where list_contains($sweeps, sweep_id)", sweeps=sweeps)


def _verdicts(connection: Connection, sweeps: list[str]) -> pl.DataFrame:
    """Return the verdicts over sweeps, on the test split where it was measured."""
    from autoreg.report.verdicts import verdicts  # scipy takes half a second to import, which no other report needs

    trends = _of_one_split(connection, "width_trends", sweeps)
    return trends if trends.is_empty() else verdicts(trends).with_columns(pl.col("figures").list.join(", "))


def _capacity(connection: Connection, sweeps: list[str]) -> pl.DataFrame:
    """Return the verdicts on compressed width likewise."""
    from autoreg.report.capacity import capacity_verdicts

    widths = _of_one_split(connection, "compressed_widths", sweeps)
    return widths if widths.is_empty() else capacity_verdicts(widths)


def _richness(connection: Connection, sweeps: list[str]) -> pl.DataFrame:
    """Return the verdicts on how compressed width follows richness likewise."""
    from autoreg.report.richness import richness_verdicts

    widths = _of_one_split(connection, "compressed_widths", sweeps).drop_nulls("richness")
    return widths if widths.is_empty() else richness_verdicts(widths)


def _claims(connection: Connection, sweeps: list[str]) -> pl.DataFrame:
    """Return what the same trials say of the paper's claims, at its threshold; nothing if they feed no figure of it."""
    from autoreg.report.claims import judge_claims

    claims = query(connection, "from claims")
    trends = _of_one_split(connection, "width_trends", sweeps).filter(threshold=THRESHOLD)
    of_a_figure = pl.col("figures").list.eval(pl.element().is_in(claims["figure"].to_list())).list.any()
    return judge_claims(claims, trends) if not trends.filter(of_a_figure).is_empty() else trends.clear()


def _of_one_split(connection: Connection, view: str, sweeps: list[str]) -> pl.DataFrame:
    sql = f"""
        select *
        from {view}
        where list_contains($sweeps, sweep_id)
        qualify split = first_value(split) over (partition by sweep_id order by split = 'test' desc, split desc)
    """
    return query(connection, sql, sweeps=sweeps)


def _main_slopes(frame: pl.DataFrame) -> pl.DataFrame:
    """Return what people are shown of capacity and of richness."""
    columns = [
        "sweep_id", "sweep", "series", "surgery", "verdict", "slope", "change", "low", "high", "held", "replicates",
        "widths",
    ]  # fmt: skip
    shown = [name for name in columns if name in frame.columns]
    return frame.filter(tolerance=TOLERANCE).sort("sweep", "series", "surgery").select(shown)


def _main_verdicts(frame: pl.DataFrame) -> pl.DataFrame:
    verdict, is_main = pl.col("verdict"), pl.col("threshold") == THRESHOLD
    agreeing = pl.col("threshold").filter(verdict == verdict.filter(is_main).first()).sort().cast(pl.String)
    columns = [
        "sweep_id", "sweep", "definition", "series", "verdict", "removability", "repetition", "same_at", "auc_slope",
        "auc_low", "auc_high", "auc_held", "similarity_factor", "similarity_low", "similarity_high", "similarity_held",
        "vectors", "replicates", "widths", "replicates_needed",
    ]  # fmt: skip
    keys = ("sweep_id", "definition", "split", "series")
    frame = frame.with_columns(same_at=agreeing.str.join(" ").over(keys))
    return frame.filter(is_main).sort("sweep", "definition", "series").select(columns)


def _main_claims(frame: pl.DataFrame) -> pl.DataFrame:
    def outcome(definition: str) -> pl.Expr:
        return pl.col("outcome").filter(definition=definition).first()

    keys = ["claim", "place", "figure", "words", "sweep_id", "sweep"]
    return frame.group_by(keys, maintain_order=True).agg(
        released=outcome("released"),
        text=outcome("text"),
        replicates_needed=pl.col("replicates_needed").max(),
        vectors=pl.col("vectors").first(),
    )
