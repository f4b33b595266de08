"""What to know before reading much into what a sweep found."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

import polars as pl

from autoreg.database.connection import query
from autoreg.database.schema import Connection
from autoreg.report.figures.figure_phase import LEARNT
from autoreg.report.figures.style import series_order, width_label
from autoreg.report.findings.facts import Facts, read_facts, turns
from autoreg.report.findings.wording import counted, listed, number, ranged
from autoreg.report.table import THRESHOLD

#: Two series are one line if their AUCs never differ by more.
SAME = 0.002
#: From this share of dead units on, the two definitions are two different scores.
MANY_DEAD = 0.2


def cautions(connection: Connection, sweep_id: str, definition: str = "released") -> list[str]:
    """Return what a careful reader would ask: what is missing, ceilings, lines that turn or coincide, the paper.

    Args and errors are those of `findings`; each line is a sentence of plain text. There may be none.
    """
    facts = read_facts(connection, sweep_id, definition)
    return [
        *_missing(facts),
        *_unlearnt(connection, sweep_id),
        *_full(facts),
        *_turning(facts),
        *_coinciding(facts),
        *_dead(connection, sweep_id),
        *_threshold(connection, sweep_id, facts),
        *_beside_the_paper(connection, sweep_id),
    ]


def _missing(facts: Facts) -> Iterator[str]:
    trials = facts.states.unique("trial_id")
    states = Counter(trials["state"].to_list())
    if ended := [f"{states[state]} {state}" for state in ("failed", "diverged", "not run") if states[state]]:
        lacking = sum(states[state] for state in ("failed", "diverged", "not run"))
        yield f"Without a trained network: {lacking} of {counted(trials.height, 'final trial')} ({', '.join(ended)})."
    unmeasured = facts.states.filter(state="not measured")
    if not unmeasured.is_empty():
        places = []
        for name in series_order(unmeasured["series"]):
            widths = unmeasured.filter(series=name)["width"].unique().sort()
            is_all = facts.states.filter(series=name)["state"].unique().to_list() == ["not measured"]
            places.append(f"all of {name}" if is_all else f"{name} at {_widths(widths.to_list())}")
        count = unmeasured["trial_id"].n_unique()
        yield f"Trained but not fully measured: {count} of {counted(trials.height, 'network')} ({listed(places)})."


def _unlearnt(connection: Connection, sweep_id: str) -> Iterator[str]:
    sql = """
        select series, width, avg(train_accuracy) as learnt
        from final_trials
        where sweep_id = $sweep_id and labels = 'Random labels'
        group by all
        having learnt < $least
        order by learnt, series
    """
    few = query(connection, sql, sweep_id=sweep_id, least=LEARNT).rows()
    if few:
        networks = [f"{series} at {width_label(width)} ({100 * learnt:.0f} %)" for series, width, learnt in few]
        yield f"Random labels that were not learnt by heart: {listed(networks)}."


def _full(facts: Facts) -> Iterator[str]:
    full = {name: widths for name in _series(facts) if (widths := facts.full_widths(name))}
    if full:
        where = listed([f"{name} at {_widths(widths)}" for name, widths in full.items()])
        yield (
            f"Nothing is left to repeat for {where}: nearly every unit is similar to all others of its layer. "
            "Such a series can only grow as its layers do, and counts in no number above."
        )


def _turning(facts: Facts) -> Iterator[str]:
    for column, name in (("auc", "AUC"), ("similar_units", "number of similar units")):
        if unsteady := [series for series in _series(facts) if turns(facts.line(series, column) or [(1.0, 0.0)])]:
            yield f"The {name} does not change steadily with width for {listed(unsteady)}: the ends do not tell all."


def _coinciding(facts: Facts) -> Iterator[str]:
    lines = {
        name: facts.trends.filter(pl.col("series") == name, pl.col("auc").is_finite()).select(
            "replicate", "width", "auc"
        )
        for name in _series(facts)
    }
    for one, two in combinations(lines, 2):
        both = lines[one].join(lines[two], on=["replicate", "width"])
        differences = (both["auc"] - both["auc_right"]).abs().to_list()
        if both["width"].n_unique() > 2 and max(differences) <= SAME:
            yield (
                f"{one} and {two} are nearly one line: their AUCs differ by {max(differences):.3f} at most. "
                "A replicate has the same random numbers in every series, so count them as one."
            )


def _dead(connection: Connection, sweep_id: str) -> Iterator[str]:
    sql = """
        select series, avg(dead::integer) as share
        from final_trials
        join asked_measurements using (sweep_id, trial_id)
        join units using (trial_id, measurement_id)
        where sweep_id = $sweep_id
        group by series, trial_id
        having share >= $least
    """
    many = query(connection, sql, sweep_id=sweep_id, least=MANY_DEAD)
    if not many.is_empty():
        yield (
            f"Up to {100 * max(many['share'].to_list()):.0f} % of a network's units are dead (constant) for "
            f"{listed(series_order(many['series']))}: the two definitions count them differently, so look at both."
        )


def _threshold(connection: Connection, sweep_id: str, facts: Facts) -> Iterator[str]:
    sql = """
        select distinct (options ->> '$.threshold')::double as threshold
        from sweep_measurements
        join measurements using (measurement_id)
        where sweep_id = $sweep_id and measurements.metric = 'similarity'
    """
    own = [value for value in query(connection, sql, sweep_id=sweep_id)["threshold"] if value not in (None, THRESHOLD)]
    if own and not facts.trends.is_empty():
        yield (
            f"The sentences above take |r| ≥ {THRESHOLD} as similar, as the paper does; figures take this sweep's own, "
            f"|r| ≥ {own[0]:g}."
        )


def _beside_the_paper(connection: Connection, sweep_id: str) -> Iterator[str]:
    sql = """
        select distinct series, width, 100 * difference as points
        from table_comparison
        where sweep_id = $sweep_id and score = 'test_accuracy' and split = 'test' and x = width
        order by abs(points) desc, series, width
    """
    feeds = query(connection, "select figure from sweep_figures where sweep_id = $sweep_id", sweep_id=sweep_id)
    if not feeds.is_empty() and (rows := query(connection, sql, sweep_id=sweep_id).rows()):
        points = [row[2] for row in rows]
        series, width, farthest = rows[0]
        yield (
            f"Test accuracies beside the published ones: {ranged(points, '+.1f')} points over "
            f"{counted(len(rows), 'setting')}, {sum(value > 0 for value in points)} of them above; "
            f"the farthest is {series} at {width_label(width)}, {number(farthest, '+.1f')} points."
        )


def _series(facts: Facts) -> list[str]:
    return series_order(facts.trends["series"])


def _widths(widths: list[float]) -> str:
    return listed([width_label(width) for width in widths])
