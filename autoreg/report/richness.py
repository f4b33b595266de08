"""Verdicts on richness: does what a wider network needs grow more slowly, the richer the networks train?

Each replicate gives, at each richness γ, the slope of log2(compressed width) over log2(width) of `capacity`, and then
one number: the change of that slope for each tenfold of γ, by a least-squares line over log10(γ). These numbers are
tested as slopes are there, as a plain sample, with Student's t. A series and a surgery make a claim, tested twice: is
the mean other than 0, and is it above the smallest fall that matters? The p-values of each test are corrected over all
claims of a sweep by Holm's method. These claims are a family of their own, so that they change no other verdict.
"""

import numpy as np
import polars as pl
from scipy import special

from autoreg.report.capacity import LABELS, REPORT, check_once
from autoreg.report.judge import ALPHA, RESOLUTION, holm
from autoreg.report.slopes import FEWEST_WIDTHS, held, replicate_slopes

#: A change of the slope of at most this much for each tenfold of γ is none.
BOUND = 0.1
#: A line over fewer richnesses would be no trend.
FEWEST_RICHNESSES = 3
CLAIM = [*REPORT, "series", "surgery"]


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
        series=pl.col("series").str.replace("(^|, )γ = [^,]+", "").replace("", None).fill_null(pl.col("network"))
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
    count = claims["replicates"].to_numpy().astype(float)
    mean, deviation = (claims[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in ("mean", "deviation"))
    error, freedom, tested = deviation / np.sqrt(np.maximum(count, 1)), np.maximum(count - 1, 1), count >= 2
    half, unit = special.stdtrit(freedom, 0.975) * error, np.maximum(error, RESOLUTION)
    changes = np.where(tested, 2 * special.stdtr(freedom, -np.abs(mean / unit)), 1.0)
    stays = np.where(tested, special.stdtr(freedom, -(mean + BOUND) / unit), 1.0)
    changes[count >= 1], stays[count >= 1] = holm(changes[count >= 1]), holm(stays[count >= 1])
    falls = (changes < ALPHA) & (mean < 0)
    verdict = np.select([stays < ALPHA, falls], ["does not fall", "falls"], "undecided")
    return claims.select(
        *CLAIM,
        *LABELS,
        verdict=pl.Series(verdict.tolist(), dtype=pl.String),
        change=pl.Series(mean, nan_to_null=True),
        low=pl.Series(mean - half, nan_to_null=True),
        high=pl.Series(mean + half, nan_to_null=True),
        change_p=pl.when(pl.lit(pl.Series(tested))).then(pl.lit(pl.Series(changes))),
        no_fall_p=pl.when(pl.lit(pl.Series(tested))).then(pl.lit(pl.Series(stays))),
        held="held",
        replicates="replicates",
    )
