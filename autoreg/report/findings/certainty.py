"""The sentence on how sure the others are."""

from autoreg.report.findings.facts import Facts
from autoreg.report.findings.growth import REMOVABLE, REPEATED, judged
from autoreg.report.findings.wording import counted, listed
from autoreg.report.verdicts import ALPHA, FEWEST_REPLICATES, FEWEST_WIDTHS, MOST_REPLICATES


def certainty(facts: Facts) -> str:
    """Return how many claims are decided, and what would decide the others."""
    replicates = facts.verdicts["replicates"].min()
    assert isinstance(replicates, int)
    if facts.trends["replicate"].n_unique() == 1:
        return (
            "How sure: with one replicate of each setting nothing here can be told from chance; "
            f"at least {FEWEST_REPLICATES} are needed."
        )
    claims = {measure: judged(facts, measure) for measure in (REMOVABLE, REPEATED)}
    claims = {measure: rows for measure, rows in claims.items() if rows}
    if not claims:
        return f"How sure: growth can be tested from {FEWEST_WIDTHS} widths of a series on."
    undecided = {
        measure.name.lower(): (sum(row[measure.state] == "undecided" for row in rows), len(rows))
        for measure, rows in claims.items()
    }
    open_claims, names = sum(count for count, _ in undecided.values()), listed([*undecided])
    if not open_claims:
        each = f"{counted(replicates, 'replicate')} of each setting"
        tested = f"tested at {100 * ALPHA:g} % over all claims of the sweep"
        return f"How sure: {names} are decided in every series ({each}, {tested})."
    needed = max((row["replicates_needed"] or 0 for rows in claims.values() for row in rows), default=0)
    more = f"more than {MOST_REPLICATES}" if needed > MOST_REPLICATES else f"about {needed}"
    each = "it" if open_claims == 1 else "all"
    advice = f"; {more} replicates would decide {each}, there are {replicates}" if needed else ""
    if open_claims == sum(total for _, total in undecided.values()):
        return f"How sure: nothing is certain, {names} are undecided in every series{advice}."
    parts = [
        f"{name} are undecided in {count} of {total} series" for name, (count, total) in undecided.items() if count
    ]
    decided = [f"{name} are decided in every series" for name, (count, _) in undecided.items() if not count]
    return f"How sure: {' but '.join(listed(part) for part in (decided, parts) if part)}{advice}."
