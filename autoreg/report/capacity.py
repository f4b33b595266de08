"""Verdicts on compressed width: when a network is made wider, does what it needs grow in proportion, less, or not?

Each replicate gives one slope, that of a least-squares line of log2(compressed width) over log2(width). At 1 every unit
of a wider network is needed, at 0 all of the added ones can be taken out. Slopes are tested as those of `verdicts` are,
as a plain sample, with Student's t; its head says why. A series and a surgery make a claim, tested four times: is the
mean slope other than 0, below the smallest that matters, below 1, and above what is as good as 1? The p-values of each
test are corrected over all claims of a sweep by Holm's method. These claims are a family of their own, so that they
change no verdict on removability and repetition.
"""

import numpy as np
import polars as pl

from autoreg.errors import DataError
from autoreg.report.judge import ALPHA, Sample
from autoreg.report.slopes import FEWEST_WIDTHS, held, replicate_slopes

#: A slope below this is none, and one this much below 1 is as good as 1.
BOUND = 0.1
#: A sweep is one experiment; tolerance and split are chosen before one looks.
REPORT = ["sweep_id", "split", "tolerance"]
CLAIM = [*REPORT, "series", "surgery"]
LABELS = ["sweep", "network", "dataset"]


def capacity_verdicts(widths: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each sweep, split, tolerance, series and surgery: how compressed width follows width.

    Args:
        widths: rows of the view `compressed_widths`, one for each of the above, replicate and width.

    Returns:
        The claim with its labels, and:

        - verdict: `does not grow` (the slope is below 0.1), `in proportion` (above 0.9), `less than in proportion` (it
          grows, but below 1), `grows` (which of the last two is not known), or `undecided`;
        - slope, low, high: mean over replicates and its 95 % interval, which is not corrected for the number of claims;
        - growth_p, none_p, less_p, proportion_p: of the four tests, corrected; null with fewer than two replicates;
        - replicates: that have the fewest widths of a trend, which are 3; widths: the fewest behind any slope;
        - held: with how many of the widths left out, each alone, the mean slope keeps its sign and its side of 1, such
          as `4 of 5`; null with fewer than four widths.

    Raises:
        DataError: there are two trials for the same claim, replicate and width.
    """
    check_once(widths, CLAIM)
    claims = _claims(widths).join(held(widths, CLAIM, _claims, marks=(0, 1)), on=CLAIM)
    return pl.concat(map(_judge, claims.partition_by(REPORT, maintain_order=True))).sort(CLAIM)


def check_once(widths: pl.DataFrame, claim: list[str]) -> None:
    """Raise DataError if there are two trials for the same claim, replicate and width."""
    keys = [*claim, "replicate", "width"]
    twice = widths.filter(widths.select(keys).is_duplicated()).select(keys)
    if not twice.is_empty():
        raise DataError(f"compressed widths need one trial for each replicate and width, got two for {twice.row(0)}")


def _claims(widths: pl.DataFrame) -> pl.DataFrame:
    """Return each claim's mean slope, its deviation over replicates, and the numbers of replicates and widths."""
    slopes = replicate_slopes(widths, [*CLAIM, *LABELS], pl.col("compressed_width").log(2))
    slope = pl.col("slope").filter(pl.col("widths") >= FEWEST_WIDTHS)
    return slopes.group_by(*CLAIM, *LABELS, maintain_order=True).agg(
        mean=slope.mean(), deviation=slope.std(), replicates=slope.len(), widths=pl.col("widths").min()
    )


def _judge(claims: pl.DataFrame) -> pl.DataFrame:
    sample = Sample(claims)
    tests = {
        "growth_p": sample.p_other_than_0(),
        "none_p": sample.p_below(BOUND),
        "less_p": sample.p_below(1),
        "proportion_p": sample.p_above(1 - BOUND),
    }
    holds = {name: p_values < ALPHA for name, p_values in tests.items()}
    grows = holds["growth_p"] & (sample.mean > 0)
    verdict = np.select(
        [holds["none_p"], holds["proportion_p"], grows & holds["less_p"], grows],
        ["does not grow", "in proportion", "less than in proportion", "grows"],
        "undecided",
    )
    return claims.select(
        *CLAIM,
        *LABELS,
        verdict=pl.Series(verdict.tolist(), dtype=pl.String),
        slope=pl.Series(sample.mean, nan_to_null=True),
        low=sample.low,
        high=sample.high,
        **{name: sample.shown(p_values) for name, p_values in tests.items()},
        replicates="replicates",
        widths="widths",
        held="held",
    )
