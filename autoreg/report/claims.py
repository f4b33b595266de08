"""The paper's claims about its figures beside what trials say: each holds, does not hold, or is not known yet.

A claim is a row of `reference/claims.csv`: a quantity of some series and what the paper says of it, which must be so in
each of them. Of growth with width `verdicts` judges, and its head says how. What a claim says is one of these:

- `grows`, `does not grow` (or shrinks), `shrinks`: so it must be. "Does not grow" does not decide whether it shrinks.
- `as`: it grows if it grows in the series `against`, and does not if it does not there.
- `higher`: it is above that of the series `against` at the same width. A replicate gives one number, the mean of the
  differences over the widths that both have, at least three. They are tested like slopes, with the same bounds. Similar
  units over all vectors are not compared to those over drawn ones.

`removability` and `repetition` are the measures of `verdicts`; `either` grows if one of them does, and does not if both
do not. `accuracy` is that on the test split, and `error` 1 less it; a point for each doubling of the width matters. So
"accuracy does not fall" is "the error does not grow".

Accuracy, error and comparisons are each a family of their own under Holm's method, so that no verdict changes. The
comparisons of a family are those that the claims about a sweep's figures ask for.
"""

from typing import Any, NamedTuple

import numpy as np
import polars as pl

from autoreg.report.judge import REPORT, judge
from autoreg.report.slopes import FEWEST_WIDTHS
from autoreg.report.verdicts import (
    AUC_BOUND,
    LOG_GROUP_SIZE,
    SIMILARITY_BOUND,
    judge_growth,
    slopes,
)

#: What each quantity is a score of, and the smallest change or difference of it that matters.
SCORES = {
    "removability": (pl.col("auc"), AUC_BOUND),
    "repetition": (LOG_GROUP_SIZE, float(np.log2(SIMILARITY_BOUND))),
    "accuracy": (pl.col("test_accuracy"), 0.01),
    "error": (1 - pl.col("test_accuracy"), 0.01),
}
EITHER = ("removability", "repetition")
#: Whether a state is what a claim says; a state that is not here does not decide it.
IS_SO = {
    "grows": {"grows": True, "does not grow": False, "shrinks": False},
    "does not grow": {"grows": False, "does not grow": True, "shrinks": True},
    "shrinks": {"grows": False, "shrinks": True},
    "higher": {"grows": True, "does not grow": False, "shrinks": False},
}
#: A claim about several series has the first of these that one of them has.
OUTCOMES = ("does not hold", "not run", "undecided", "holds")


class Of(NamedTuple):
    """What something is known of: a series' growth, or how it lies above another."""

    sweep_id: str | None
    definition: str
    quantity: str
    series: str
    against: str = ""


class Finding(NamedTuple):
    """A state as `judge` names it, and how many replicates would decide it; None if no number of them does."""

    state: str
    needed: int | None


Findings = dict[Of, Finding]


def judge_claims(claims: pl.DataFrame, trials: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each claim, definition and sweep that feeds its figure; one without a sweep if none does.

    Args:
        claims: rows of the table `claims`.
        trials: rows of the view `width_trends` at one threshold, and of one split for each sweep.

    Returns:
        The claim with sweep_id, sweep and definition, and:

        - outcome: `holds`, in all its series; `does not hold`, in one or more; `undecided`; `not run`, which lacks a
          series; `not judged`, if it is nothing that verdicts speak of;
        - found: each series that there is, with its state;
        - vectors: what similar units are counted over: `drawn`, `all`, or both for different series;
        - replicates_needed: that would decide it, a rough guess; null where no number of them would.

    Raises:
        DataError: as `verdicts`.
    """
    sweeps = trials.select("sweep_id", "sweep", "figures").unique("sweep_id").sort("sweep").to_dicts()
    findings = _growth(trials) | _comparisons(claims, trials)
    of_series = {row[:2]: row[2] for row in trials.select("sweep_id", "series", "vectors").unique().iter_rows()}
    rows = []
    for claim in claims.sort("claim").to_dicts():
        for sweep in [sweep for sweep in sweeps if claim["figure"] in sweep["figures"]] or [{}]:
            sweep_id = sweep.get("sweep_id")
            counted = {of_series[sweep_id, series] for series in _series(claim) if (sweep_id, series) in of_series}
            vectors = ", ".join(sorted(counted)) if claim["quantity"] in ("repetition", "either") else ""
            for definition in ("released", "text"):
                of_sweep = {"sweep_id": sweep_id, "sweep": sweep.get("sweep"), "definition": definition}
                said = _say(claim, findings, sweep_id, definition)
                rows.append({**claim, **of_sweep, **said, "vectors": vectors or None})
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.col("replicates_needed").cast(pl.Int64))


def _series(claim: dict[str, Any]) -> list[str]:
    return claim["series"].split("; ") if claim["series"] else []


def _growth(trials: pl.DataFrame) -> Findings:
    """Return what is known of how each quantity grows with the width of each series."""
    names = {"auc": "removability", "similarity": "repetition"}
    growth = judge_growth(trials).with_columns(pl.col("measure").replace(names))
    frames = [growth, *(judge(slopes(trials, name, *SCORES[name])) for name in ("accuracy", "error"))]
    return {
        Of(row["sweep_id"], row["definition"], row["measure"], row["series"]): Finding(row["state"], row["needed"])
        for frame in frames
        for row in frame.iter_rows(named=True)
    }


def _comparisons(claims: pl.DataFrame, trials: pl.DataFrame) -> Findings:
    """Return what is known of how series lie above others, of those that claims compare."""
    compared = [
        _differences(trials.filter(pl.col("figures").list.contains(claim["figure"])), claim, series)
        for claim in claims.filter(says="higher").to_dicts()
        for series in _series(claim)
    ]
    there = [frame for frame in compared if not frame.is_empty()]
    if not there:
        return {}
    return {
        Of(*(row[name] for name in ("sweep_id", "definition", "quantity", "series", "against"))): Finding(
            row["state"], row["needed"]
        )
        for row in judge(pl.concat(there).unique(maintain_order=True)).iter_rows(named=True)
    }


def _differences(trials: pl.DataFrame, claim: dict[str, Any], series: str) -> pl.DataFrame:
    """Return by how much a series lies above another: the mean over replicates, and their deviation."""
    score, bound = SCORES[claim["quantity"]]
    keys = [*REPORT, "replicate", "width", *(["vectors"] if claim["quantity"] == "repetition" else [])]
    scores = trials.select("series", *keys, score=score).filter(pl.col("score").is_finite())
    both = scores.filter(series=series).join(scores.filter(series=claim["against"]), on=keys, suffix="_against")
    return (
        both.sort(keys)  # sums do not depend on the order of the rows
        .group_by(*REPORT, "replicate", maintain_order=True)
        .agg(difference=(pl.col("score") - pl.col("score_against")).mean(), widths=pl.len())
        .filter(pl.col("widths") >= FEWEST_WIDTHS)
        .group_by(REPORT, maintain_order=True)
        .agg(mean=pl.col("difference").mean(), deviation=pl.col("difference").std(), replicates=pl.len())
        .with_columns(bound=pl.lit(bound), series=pl.lit(series))
        .with_columns(pl.lit(claim[name]).alias(name) for name in ("quantity", "against"))
    )


def _say(claim: dict[str, Any], findings: Findings, sweep_id: str | None, definition: str) -> dict[str, Any]:
    if not claim["says"]:
        return {"outcome": "not judged", "found": None, "replicates_needed": None}
    outcomes, found, needed = set(), [], []
    for series in _series(claim):
        own = [Of(sweep_id, definition, each, series) for each in _quantities(claim)]
        other = [each._replace(series=claim["against"]) for each in own if claim["against"]]
        if not findings.keys() >= {*own, *other}:
            outcomes.add("not run")
            continue
        parts = [findings[each] for each in [*own, *other]]
        if claim["says"] == "higher":
            parts = [findings.get(own[0]._replace(against=claim["against"]), Finding("undecided", None))]
        states = [part.state for part in parts]
        found.append(f"{series}: {' / '.join(states)}")
        is_so = _is_so(claim, states)
        outcomes.add({True: "holds", False: "does not hold", None: "undecided"}[is_so])
        needed += [part.needed for part in parts if is_so is None and part.state == "undecided"]
    [outcome, *_] = [each for each in OUTCOMES if each in outcomes]
    total = max((each or 0 for each in needed), default=0) if outcome == "undecided" and None not in needed else None
    return {"outcome": outcome, "found": "; ".join(found) or None, "replicates_needed": total or None}


def _quantities(claim: dict[str, Any]) -> tuple[str, ...]:
    return EITHER if claim["quantity"] == "either" else (claim["quantity"],)


def _is_so(claim: dict[str, Any], states: list[str]) -> bool | None:
    grows = [{"undecided": None}.get(state, state == "grows") for state in states]
    if claim["says"] == "as":
        return None if None in grows else grows[0] == grows[1]
    if claim["quantity"] == "either":
        return True if True in grows else None if None in grows else False
    return IS_SO[claim["says"]].get(states[0])
