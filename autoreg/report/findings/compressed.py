"""The sentence on compressed width: how much of a network is left when its units are taken out for real."""

from collections import Counter

import polars as pl

from autoreg.report.figures.style import width_label
from autoreg.report.findings.facts import Facts
from autoreg.report.findings.wording import counted, listed
from autoreg.report.table import TOLERANCE

#: Of the surgeries that were measured, the one that may do most of what keeps units as they are.
_PREFERRED = ("either", "merge", "drop", "rebuild")
_SAID = {
    "does not grow": "does not grow",
    "less than in proportion": "grows less than in proportion",
    "in proportion": "grows in proportion",
    "grows": "grows",
    "undecided": "is undecided",
}


def compressed(facts: Facts) -> str:
    """Return the sentence, of the surgery `either` if it was measured; empty if none was."""
    from autoreg.report.capacity import capacity_verdicts  # scipy takes half a second to import

    if facts.widths is None or facts.widths.is_empty():
        return ""
    surgery = min(facts.widths["surgery"], key=_PREFERRED.index)
    widths = facts.widths.filter(surgery=surgery)
    means = widths.group_by("series", "width").agg(pl.col("compressed_width").mean()).sort("series", "width")
    verdicts = capacity_verdicts(widths).sort("slope", nulls_last=True)
    name = verdicts["series"][(verdicts.height - verdicts["slope"].null_count() - 1) // 2]
    rows = means.filter(series=name).select("width", "compressed_width").rows()
    ends = listed(
        [f"a {width_label(width)} network needs {kept:.2g}×" for width, kept in dict.fromkeys([rows[0], rows[-1]])]
    )
    tally = Counter(verdicts["verdict"].to_list())
    decided = [f"{text} in {tally[verdict]}" for verdict, text in _SAID.items() if tally[verdict]]
    grown = (
        "how this compressed width grows is undecided"
        if tally.keys() == {"undecided"}
        else f"of {counted(verdicts.height, 'series')}, this compressed width {listed(decided)}"
    )
    return (
        f"With units taken out for real ({surgery}), for {name} {ends} to keep {100 * TOLERANCE:g} % of the labels; "
        f"{grown}."
    )
