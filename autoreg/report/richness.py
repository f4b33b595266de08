"""Verdicts on richness: does what a wider network needs grow more slowly, the richer the networks train?

Each replicate gives, at each richness γ, the slope of log2(compressed width) over log2(width) of `capacity`, and then
one number: the change of that slope for each tenfold of γ, by a least-squares line over log10(γ). These numbers are
tested as slopes are there, as a plain sample, with Student's t. A series and a surgery make a claim, tested twice: is
the mean other than 0, and is it above the smallest fall that matters? The p-values of each test are corrected over all
claims of a sweep by Holm's method. These claims are a family of their own, so that they change no other verdict.
"""

import numpy as np
import polars as pl

from autoreg.report.capacity import CLAIM, LABELS, REPORT, check_once
from autoreg.report.judge import ALPHA, Sample
from autoreg.report.slopes import FEWEST_WIDTHS, held, replicate_slopes

#: A change of the slope of at most this much for each tenfold of γ is none.
BOUND = 0.1
#: A line over fewer richnesses would be no trend.
FEWEST_RICHNESSES = 3


def richness_verdicts(widths: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each sweep, split, tolerance, series and surgery: how slopes of `capacity` follow richness.

    Args:
        widths: rows of the view `compressed_widths` that have a richness, one for each of the above, richness,
            replicate and width. The richness does not name a series here.

    Returns:
        The claim with its labels, and:

        - verdict: `falls`, `does not fall` (by less than 0.1 for each tenfold, or it rises), or `undecided`;
        - change, low, high: of the slope for each tenfold of γ, mean over replicates and its 95 % interval, which is
          not corrected for the number of claims;
        - change_p, no_fall_p: of both tests, corrected; null with fewer than two replicates;
        - held: with how many of the widths left out, each alone, the change keeps its sign, such as `4 of 5`; null with
          fewer than four widths;
        - replicates: that have three richnesses of three widths each.

    Raises:
        DataError: there are two trials for the same claim, richness, replicate and width.
    """
    named = widths.with_columns(
        series=pl.col("series")
        .str.replace("(^|, )γ = [^,]+", "")
        .str.strip_prefix(", ")
        .replace("", None)
        .fill_null(pl.col("network"))
    )
    check_once(named, [*CLAIM, "richness"])
    claims = _claims(named).join(held(named, CLAIM, _claims, marks=(0,)), on=CLAIM)
    return pl.concat(map(_judge, claims.partition_by(REPORT, maintain_order=True))).sort(CLAIM)


def _claims(widths: pl.DataFrame) -> pl.DataFrame:
    keys = [*CLAIM, *LABELS]
    slopes = replicate_slopes(widths, [*keys, "richness"], pl.col("compressed_width").log(2))
    tenfold = pl.col("richness").log10()
    changes = (
        slopes.filter(pl.col("widths") >= FEWEST_WIDTHS)
        .group_by(*keys, "replicate", maintain_order=True)
        .agg(change=pl.cov(tenfold, "slope") / tenfold.var(), richnesses=pl.len())
    )
    change = pl.col("change").filter(pl.col("richnesses") >= FEWEST_RICHNESSES)
    return changes.group_by(keys, maintain_order=True).agg(
        mean=change.mean(), deviation=change.std(), replicates=change.len()
    )


def _judge(claims: pl.DataFrame) -> pl.DataFrame:
    sample = Sample(claims)
    changes, stays = sample.p_other_than_0(), sample.p_above(-BOUND)
    falls = (changes < ALPHA) & (sample.mean < 0)
    verdict = np.select([stays < ALPHA, falls], ["does not fall", "falls"], "undecided")
    return claims.select(
        *CLAIM,
        *LABELS,
        verdict=pl.Series(verdict.tolist(), dtype=pl.String),
        change=pl.Series(sample.mean, nan_to_null=True),
        low=sample.low,
        high=sample.high,
        change_p=sample.shown(changes),
        no_fall_p=sample.shown(stays),
        held="held",
        replicates="replicates",
    )
