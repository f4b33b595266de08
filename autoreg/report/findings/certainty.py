"""The sentence on how sure the others are."""

from autoreg.report.findings.facts import Facts
from autoreg.report.findings.growth import REMOVABLE, REPEATED, judged
from autoreg.report.findings.wording import listed, ranged
from autoreg.report.judge import ALPHA, FEWEST_REPLICATES, MOST_REPLICATES
from autoreg.report.slopes import FEWEST_WIDTHS


def certainty(facts: Facts) -> str:
    """Return how many claims are decided, and what would decide the others."""
    replicates = facts.verdicts["replicates"].to_list()
    if max(replicates) == 1:
        return (
            "How sure: only one replicate of each series spans the widths, so nothing can be told from chance; "
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
        each = f"{ranged(replicates, '.0f')} replicates of each setting"
        tested = f"tested at {100 * ALPHA:g} % over all claims of the sweep"
        return f"How sure: {names} are decided in every series ({each}, {tested})."
    needed = max((row["replicates_needed"] or 0 for rows in claims.values() for row in rows), default=0)
    more = f"more than {MOST_REPLICATES}" if needed > MOST_REPLICATES else f"about {needed}"
    each = "it" if open_claims == 1 else "all"
    advice = f"; {more} replicates would decide {each}, there are {ranged(replicates, '.0f')}" if needed else ""
    if open_claims == sum(total for _, total in undecided.values()):
        return f"How sure: nothing is certain, {names} are undecided in every series{advice}."
    parts = [
        f"{name} are undecided in {f'{count} of' if count < total else 'all'} {total} series"
        for name, (count, total) in undecided.items()
        if count
    ]
    decided = [f"{name} are decided in every series" for name, (count, _) in undecided.items() if not count]
    return f"How sure: {' but '.join(listed(part) for part in (decided, parts) if part)}{advice}."
