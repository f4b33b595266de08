"""What results.db knows of a sweep that sentences can be made of."""

from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from autoreg.database.connection import path_of, query
from autoreg.database.schema import Connection
from autoreg.errors import DataError
from autoreg.report.table import THRESHOLD, TOLERANCE

#: From this share of all other units of their layers on, similar units have no room left to grow.
CEILING = 0.95
#: A line turns if it goes back by more than this share of its change from the narrowest to the widest network.
TURN = 0.1

_STATES = """
    select distinct
        trial_id,
        series,
        width,
        final_trials.test_accuracy,
        case
            when final_trials.status is null then 'not run'
            when final_trials.status <> 'done' then final_trials.status
            else coalesce(final_trial_states.state, 'not asked for')
        end as state
    from sweep_trials
    left join final_trials using (sweep_id, trial_id)
    left join final_trial_states using (sweep_id, trial_id)
    where sweep_id = $sweep_id and sweep_trials.kind = 'final'
    order by all
"""
_TRENDS = """
    with most as (
        select trial_id, avg(units - 1) as most
        from measured_layers
        join layers using (trial_id)
        where sweep_id = $sweep_id and (only_layer is null or layer = only_layer)
        group by all
    )

    select width_trends.*, most
    from width_trends
    left join most using (trial_id)
    where sweep_id = $sweep_id and definition = $definition and threshold = $threshold
    qualify split = first_value(split) over (order by split = 'test' desc, split desc)
"""
_WIDTHS = """
    select *
    from compressed_widths
    where sweep_id = $sweep_id and tolerance = $tolerance
    qualify split = first_value(split) over (order by split = 'test' desc, split desc)
"""


@dataclass(frozen=True)
class Facts:
    """A sweep's final trials and what was measured of them.

    Attributes:
        states: trial_id, series, width, test_accuracy and state (measured, not measured, not asked for, failed,
            diverged, not run); one row a final trial and series; of a trial that has not run, only id and state.
        asked: the metrics that the sweep asks for.
        trends: rows of `width_trends` at |r| >= 0.5, of one definition and split, with `most`, the similar units that
            there can be; may be empty.
        verdicts: of these, as `verdicts` returns them.
        widths: rows of `compressed_widths` at 99 % of the labels; None where the sweep does not ask for them.
    """

    states: pl.DataFrame
    asked: list[str]
    trends: pl.DataFrame
    verdicts: pl.DataFrame
    widths: pl.DataFrame | None

    def line(self, series: str, column: str) -> list[tuple[float, float]]:
        """Return the widths at which a column of `trends` is known, and its means over replicates there."""
        rows = self.trends.filter(pl.col("series") == series, pl.col(column).is_finite())
        return rows.group_by("width").agg(pl.col(column).mean()).sort("width").rows()

    def full_widths(self, series: str) -> list[float]:
        """Return the widths of a series at which nearly every unit is similar to all others of its layer."""
        full = dict(self.line(series, "most"))
        return [width for width, value in self.line(series, "similar_units") if value >= CEILING * full[width] > 0]


def turns(line: list[tuple[float, float]]) -> bool:
    """Whether a line goes back on its way from the narrowest network to the widest."""
    values = [value for _, value in line]
    change = values[-1] - values[0]
    steps = [(after - before) * (1 if change >= 0 else -1) for before, after in pairwise(values)]
    return min(steps, default=0.0) < -max(TURN * abs(change), 1e-3)


def read_facts(connection: Connection, sweep_id: str, definition: str) -> Facts:
    """Return what is known of a sweep; `definition` is `released` or `text`. Raises DataError if there is none."""
    if query(connection, "select 1 from sweeps where sweep_id = $sweep_id", sweep_id=sweep_id).is_empty():
        raise DataError(f"{path_of(connection)} has no sweep of the id {sweep_id!r}")
    sql = "select distinct metric from sweep_measurements where sweep_id = $sweep_id"
    asked = sorted(query(connection, sql, sweep_id=sweep_id)["metric"])
    trends = query(connection, _TRENDS, sweep_id=sweep_id, definition=definition, threshold=THRESHOLD)
    has_widths = "compression" in asked
    widths = query(connection, _WIDTHS, sweep_id=sweep_id, tolerance=TOLERANCE) if has_widths else None
    return Facts(query(connection, _STATES, sweep_id=sweep_id), asked, trends, _verdicts(trends), widths)


def _verdicts(trends: pl.DataFrame) -> pl.DataFrame:
    from autoreg.report.verdicts import verdicts  # scipy takes half a second to import

    return trends.clear() if trends.is_empty() else verdicts(trends)
