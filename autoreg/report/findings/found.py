"""What a sweep found, in at most three sentences."""

from collections import Counter

import polars as pl

from autoreg.database.connection import query
from autoreg.database.schema import Connection
from autoreg.report.figures.style import series_order, width_label
from autoreg.report.findings.certainty import certainty
from autoreg.report.findings.compressed import compressed
from autoreg.report.findings.facts import Facts, read_facts
from autoreg.report.findings.growth import REMOVABLE, REPEATED, growth
from autoreg.report.findings.wording import counted, listed, ranged


def findings(connection: Connection, sweep_id: str, definition: str = "released") -> list[str]:
    """Return what a sweep found: removable units, repeated units, how sure that is.

    Args:
        connection: to results.db.
        sweep_id: the sweep's.
        definition: `released` or `text`, of removability and similarity.

    Returns:
        At most three lines of plain text, each `Name: sentence.`; compressed width, where it was measured, is a second
        sentence of the line on repeated units. A sweep that measured neither says what it has instead.

    Raises:
        DataError: there is no such sweep.
    """
    facts = read_facts(connection, sweep_id, definition)
    if facts.states.is_empty():
        return [_parameters(connection, sweep_id)]
    states = Counter(facts.states.unique("trial_id")["state"].to_list())
    done = [states[state] for state in ("measured", "not measured", "not asked for")]
    if not sum(done):
        why = listed([f"{count} {state}" for state, count in sorted(states.items())])
        return [f"Nothing was found: none of {counted(states.total(), 'network')} is trained ({why})."]
    if facts.trends.is_empty():
        is_asked = bool({"ablation", "similarity"} & set(facts.asked))
        why = (
            f"Nothing is found yet: none of {counted(sum(done), 'trained network')} is measured."
            if is_asked
            else "Removable and repeated units: not measured, since the sweep asks for neither."
        )
        return [why, _accuracies(facts)]
    repeated = " ".join(filter(None, [growth(facts, REPEATED), compressed(facts)]))
    return [growth(facts, REMOVABLE), repeated, certainty(facts)]


def _accuracies(facts: Facts) -> str:
    known = facts.states.drop_nulls("test_accuracy").with_columns(pl.col("test_accuracy") * 100)
    means = known.group_by("series", "width").agg(pl.col("test_accuracy").mean()).sort("series", "width")
    if means.is_empty():
        return "Test accuracy: of no trained network."
    name = series_order(means["series"])[0]
    line = means.filter(series=name).select("width", "test_accuracy").rows()
    (narrow, low), (wide, high) = line[0], line[-1]
    ends = f"; for {name}, from {low:.1f} at {width_label(narrow)} to {high:.1f} at {width_label(wide)}"
    trials = counted(known["trial_id"].n_unique(), "network")
    return f"Test accuracy: {ranged(known['test_accuracy'], '.1f')} % over {trials}{ends if len(line) > 1 else ''}."


def _parameters(connection: Connection, sweep_id: str) -> str:
    sql = "select coalesce(variant, network) as name, width, parameters from sweep_groups where sweep_id = $id"
    rows = query(connection, sql, id=sweep_id).sort("parameters").rows()
    if not rows:
        return "Nothing was found: the sweep has no network."
    few, many = [f"{count:,} ({name} at {width_label(width)})" for name, width, count in (rows[0], rows[-1])]
    return f"Trainable parameters: from {few} to {many}; the sweep trains no network."
