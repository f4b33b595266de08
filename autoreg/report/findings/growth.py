"""The sentence on removable units and that on repeated ones: whether wider networks have more of them, in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autoreg.report.figures.style import series_order, width_label
from autoreg.report.findings.facts import Facts, turns
from autoreg.report.findings.wording import listed, number, ranged

#: What the state of a claim says of wider networks.
_SAID = {"grows": "more of them", "does not grow": "no more", "shrinks": "fewer"}


@dataclass(frozen=True)
class Measure:
    """One of the two things that are measured.

    Attributes:
        name: what is counted.
        metric: that measures it.
        column: of the trends.
        state: column of the verdicts, and `slope`, with its interval from `low` to `high`.
        still: the slope of no change.
    """

    name: str
    metric: str
    column: str
    state: str
    slope: str
    low: str
    high: str
    still: float


REMOVABLE = Measure("Removable units", "ablation", "auc", "removability", "auc_slope", "auc_low", "auc_high", 0.0)
REPEATED = Measure(
    "Repeated units", "similarity", "similar_units", "repetition",
    "similarity_factor", "similarity_low", "similarity_high", 1.0,
)  # fmt: skip


def judged(facts: Facts, measure: Measure) -> list[dict[str, Any]]:
    """Return the verdicts on series that have a slope, without those whose similar units have no room left to grow."""
    rows = facts.verdicts.filter(facts.verdicts[measure.slope].is_not_null()).to_dicts()
    return [row for row in rows if measure is REMOVABLE or not facts.full_widths(row["series"])]


def growth(facts: Facts, measure: Measure) -> str:
    """Return the sentence on a measure."""
    if measure.metric not in facts.asked:
        return f"{measure.name}: not measured, since the sweep does not ask for {measure.metric}."
    series = series_order(facts.trends["series"])
    lines = {name: line for name in series if (line := facts.line(name, measure.column))}
    if not lines:
        return f"{measure.name}: none of the trained networks is measured yet."
    rows = judged(facts, measure)
    if rows:
        over_all = measure is REPEATED and any(row["vectors"] == "all" for row in rows)
        counted = " (counted over all vectors; figures draw some)" if over_all else ""
        text = f"{_lead(rows, measure)}: {_slopes(rows, measure)}; {_example(rows, lines, measure)}{counted}"
    elif measure is REPEATED and all(map(facts.full_widths, lines)):
        ends = ranged([value for line in lines.values() for _, value in line], ".1f")
        text = f"nearly every unit is similar to all others of its layer ({ends}), so there is nothing left to repeat"
    else:
        text = _without_a_trend(lines, measure)
    return f"{measure.name}: {text}."


def _lead(rows: Sequence[dict[str, Any]], measure: Measure) -> str:
    states = {row[measure.state] for row in rows}
    rises, falls = ([sign * (row[measure.slope] - measure.still) > 0 for row in rows] for sign in (1, -1))
    wider = "wider networks"
    if max(row["replicates"] for row in rows) == 1 and (all(rises) or all(falls)):
        return f"in the one replicate that has three widths, {wider} have {'more' if all(rises) else 'fewer'} of them"
    if states == {"grows"}:
        return f"{wider} have more of them"
    if states == {"shrinks"}:
        return f"{wider} have fewer of them"
    if states <= {"does not grow", "shrinks"}:
        return f"{wider} do not have more of them"
    if states <= {"grows", "undecided"} and all(rises):
        return f"{wider} seem to have more of them"
    if states <= {"shrinks", "undecided"} and all(falls):
        return f"{wider} seem to have fewer of them"
    if states == {"undecided"}:
        return f"whether {wider} have more of them is undecided"
    return _by_series(rows, measure)


def _by_series(rows: Sequence[dict[str, Any]], measure: Measure) -> str:
    names = {
        state: listed(series_order(row["series"] for row in rows if row[measure.state] == state))
        for state in dict.fromkeys(row[measure.state] for row in rows)
    }
    said = ", ".join(f"{text} for {names[state]}" for state, text in _SAID.items() if state in names)
    unlike = "it depends on the series: " if "grows" in names and len(names.keys() - {"undecided"}) > 1 else ""
    unknown = f" (undecided for {names['undecided']})" if "undecided" in names else ""
    return f"{unlike}wider networks have {said}{unknown}"


def _slopes(rows: Sequence[dict[str, Any]], measure: Measure) -> str:
    slopes = [row[measure.slope] for row in rows]
    if measure is REMOVABLE:
        changes = (
            f"the share of labels that survive dropping units (AUC, at most 1) changes by {ranged(slopes, '+.3f')}"
        )
        form, folds, ends = "+.3f", "", " with each doubling of the width"
    else:
        verb = "grows" if min(slopes) >= 1 else "changes"
        changes = f"a unit's group of similar units {verb} {ranged(slopes, '.2f', '-fold')}"
        form, folds, ends = ".2f", "-fold", " with each doubling of the width (2-fold: in proportion)"
    [low, high] = [rows[0][name] for name in (measure.low, measure.high)]
    if len(rows) == 1 and low is not None:
        changes += f" (95 % interval {ranged([low, high], form, folds)})"
    return changes + ends


def _example(rows: Sequence[dict[str, Any]], lines: dict[str, list[tuple[float, float]]], measure: Measure) -> str:
    """Return the ends of the series with the middle slope among those with most widths: the steepest would flatter."""
    longest = [row for row in rows if row["widths"] == max(row["widths"] for row in rows)]
    name = sorted(longest, key=lambda row: row[measure.slope])[(len(longest) - 1) // 2]["series"]
    line = lines[name]
    unsteady = ", not steadily" if turns(line) else ""
    return f"for {name}, {_ends(line, measure)}{unsteady}"


def _ends(line: list[tuple[float, float]], measure: Measure) -> str:
    (narrow, low), (wide, high) = line[0], line[-1]
    if measure is REMOVABLE:
        return f"from {low:.2f} at {width_label(narrow)} to {high:.2f} at {width_label(wide)}"
    low_text, high_text = number(low, ".1f"), number(high, ".1f")
    return f"a unit has {low_text} similar units at {width_label(narrow)} and {high_text} at {width_label(wide)}"


def _without_a_trend(lines: dict[str, list[tuple[float, float]]], measure: Measure) -> str:
    longest = max(lines.values(), key=len)
    if len(longest) == 1:
        values = ranged([value for line in lines.values() for _, value in line], ".2f")
        what = "labels survive dropping units with an AUC of" if measure is REMOVABLE else "similar units per unit:"
        return f"measured at one width, {width_label(longest[0][0])}, which shows no growth; {what} {values}"
    name = next(name for name, line in lines.items() if line is longest)
    return f"two widths make no trend, three are needed; for {name}, {_ends(longest, measure)}"
