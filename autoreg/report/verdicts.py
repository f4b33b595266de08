"""Verdicts: when a network is made wider, do its removable units, its repeated units, both or neither grow?

Each replicate is trained at every width with the same seeds, so the unit of observation is the replicate: its change
with width is summed up in one number, the slope of a least-squares line over log2(width), and the slopes are tested as
a plain sample (Matthews et al. 1990, "Analysis of serial measurements in medical research", BMJ 300:230). Two measures
are judged for each series, and each is a claim:

- removability: the slope of the AUC, its change for each doubling of the width;
- repetition: the slope of log2(1 + similar units), the size of the group of similar units that a unit belongs to.
  2^slope is the factor by which groups grow for each doubling: 1 is no growth, 2 is growth in proportion to the width.
  Under `released` a dead unit counts −1 similar units; a mean below 0 is taken as 0.

The interval of a mean is Student's t interval, not a bootstrap's. The 95 % percentile bootstrap of 3 replicates runs
from the lowest slope to the highest, since each of them is the mean of 1 in 27 resamples, which is more than 2.5 %; for
a symmetric distribution that range holds the true mean in 1 − 2 / 2³ = 75 % of all cases. (Nor can a test that flips
signs reach p < 0.05 with 3 to 5 replicates.) The price is that slopes are taken to be normal, as means over several
widths and samples nearly are.

A claim is tested twice, and the p-values of each test are corrected over all claims of one report, that is of one
sweep, by the method of Holm (1979, Scand. J. Statist. 6:65), which holds however the claims depend on each other:

- is the mean slope other than 0? (two-sided t test)
- is it below the smallest slope that matters? (one-sided t test against that bound; Lakens 2017, Social Psychological
  and Personality Science 8:355). "Does not grow" needs this evidence: to be not surely above 0 is not enough.

With a corrected p < 0.05 for each, and in this order: a slope below 0 "shrinks"; one below the bound "does not grow",
even if it is above 0; one above 0 "grows". Any other is "undecided". So a growth as small as the published one for He
(figure 6: AUC 0.31 to 0.34 over four doublings) is none, however many replicates show that it is not 0.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from autoreg.errors import ConfigError, DataError
from autoreg.report.judge import judge
from autoreg.report.slopes import FEWEST_WIDTHS, held, replicate_slopes

#: Smallest change of the AUC, and smallest factor of the size of groups, for each doubling of the width that matters.
AUC_BOUND, SIMILARITY_BOUND = 0.01, 1.05
#: What slopes of repetition are of.
LOG_GROUP_SIZE = (1 + pl.col("similar_units").clip(lower_bound=0)).log(2)

SERIES = ["sweep_id", "definition", "threshold", "split", "series"]
LABELS = ["sweep", "figures", "network", "dataset", "vectors"]
_RESULTS = [
    "verdict", "removability", "repetition",
    "auc_slope", "auc_low", "auc_high", "auc_p", "auc_no_growth_p", "auc_held",
    "similarity_factor", "similarity_low", "similarity_high", "similarity_p", "similarity_no_growth_p",
    "similarity_held", "replicates", "widths", "replicates_needed",
]  # fmt: skip


def verdicts(
    trials: pl.DataFrame, *, auc_bound: float = AUC_BOUND, similarity_bound: float = SIMILARITY_BOUND
) -> pl.DataFrame:
    """Return one row for each sweep, definition, threshold, split and series: what grows with its width.

    Args:
        trials: rows of the view `width_trends`, one for each of the above, replicate and width: `auc` in [0, 1],
            `similar_units` per unit, at least -1; null or NaN where it is not measured; `vectors`, what those of a
            series are counted over, `drawn` or `all`. Each sweep is one report.
        auc_bound: smallest change of the AUC for each doubling of the width that matters; above 0.
        similarity_bound: smallest factor for each doubling of the width that matters; above 1.

    Returns:
        The series with its labels, and:

        - verdict: `removable` (the AUC grows, similar units do not), `repeated` (the other way round), `both`,
          `neither`, or `undecided` if either measure is;
        - removability and repetition: `grows`, `does not grow`, `shrinks` or `undecided`;
        - auc_slope, auc_low, auc_high: change for each doubling, mean over replicates and its 95 % interval, which is
          not corrected for the number of claims; similarity_factor, similarity_low, similarity_high likewise;
        - auc_p, similarity_p: that the slope is 0; auc_no_growth_p, similarity_no_growth_p: that it reaches the bound;
          both corrected by Holm; null with fewer than two replicates;
        - auc_held, similarity_held: with how many of the widths left out, each alone, the mean slope keeps its sign
          (that of similar units also its side of 1: a factor of 2), such as `4 of 5`; null with fewer than four widths;
        - replicates, widths: the fewest replicates behind either measure, and the fewest widths behind any slope. A
          replicate takes part with the widths that it has, if they are at least 3; where none has so many, those that
          there are are counted, and the verdict is `undecided`;
        - replicates_needed: see `replicates_needed`; the larger of both measures', null if both are decided, or if what
          lacks is no replicate but widths.

    Raises:
        ConfigError: a bound is out of its range.
        DataError: there is no trial, or two for the same series, replicate and width, or a series mixes its vectors.
    """
    judged = judge_growth(trials, auc_bound, similarity_bound)
    auc = judged.filter(measure="auc").select(
        *SERIES, *LABELS, auc_slope="mean", auc_low="low", auc_high="high", auc_p="p", auc_no_growth_p="no_growth_p",
        auc_held="held", removability="state", replicates="there", widths="widths", needed="needed",
    )  # fmt: skip
    similarity = judged.filter(measure="similarity").select(
        *SERIES, similarity_factor=2.0 ** pl.col("mean"), similarity_low=2.0 ** pl.col("low"),
        similarity_high=2.0 ** pl.col("high"), similarity_p="p", similarity_no_growth_p="no_growth_p",
        similarity_held="held", repetition="state", similarity_replicates="there", similarity_widths="widths",
        similarity_needed="needed",
    )  # fmt: skip
    return (
        auc.join(similarity, on=SERIES)
        .with_columns(
            verdict=_verdict(),
            replicates=pl.min_horizontal("replicates", "similarity_replicates").fill_null(0).cast(pl.Int64),
            widths=pl.min_horizontal("widths", "similarity_widths").fill_null(0).cast(pl.Int64),
            replicates_needed=pl.max_horizontal("needed", "similarity_needed"),
        )
        .select(*SERIES, *LABELS, *_RESULTS)
        .sort(SERIES)
    )


def judge_growth(
    trials: pl.DataFrame, auc_bound: float = AUC_BOUND, similarity_bound: float = SIMILARITY_BOUND
) -> pl.DataFrame:
    """Return what `judge` says of each series and measure, `auc` and `similarity`; see `verdicts`."""
    _check(trials, auc_bound, similarity_bound)
    of_auc = slopes(trials, "auc", pl.col("auc"), auc_bound)
    of_similarity = slopes(trials, "similarity", LOG_GROUP_SIZE, float(np.log2(similarity_bound)), marks=(0, 1))
    return judge(pl.concat([of_auc, of_similarity]))


def _check(trials: pl.DataFrame, auc_bound: float, similarity_bound: float) -> None:
    if not auc_bound > 0:
        raise ConfigError(f"the smallest change of the AUC that matters must be above 0, got {auc_bound}")
    if not similarity_bound > 1:
        raise ConfigError(f"the smallest factor of similar units that matters must be above 1, got {similarity_bound}")
    if trials.is_empty():
        raise DataError("verdicts need measured trials, got none")
    keys = [*SERIES, "replicate", "width"]
    twice = trials.filter(trials.select(keys).is_duplicated()).select(keys)
    if not twice.is_empty():
        raise DataError(f"verdicts need one trial for each series, replicate and width, got two for {twice.row(0)}")
    mixed = trials.group_by(SERIES).agg(pl.col("vectors").n_unique()).filter(pl.col("vectors") > 1)
    if not mixed.is_empty():
        raise DataError(f"similar units of a series are over drawn vectors or over all, got both for {mixed.row(0)}")


def slopes(
    trials: pl.DataFrame, measure: str, score: pl.Expr, bound: float, marks: Sequence[float] = (0,)
) -> pl.DataFrame:
    """Return each series' mean slope of a score over log2(width), its deviation over replicates, and their number.

    `held` says with how many of the widths left out the mean stays on its side of all marks.
    """

    def means(trials: pl.DataFrame) -> pl.DataFrame:
        by_replicate = (
            replicate_slopes(trials, SERIES, score)
            .with_columns(is_trend=pl.col("widths") >= FEWEST_WIDTHS)
            .with_columns(is_counted=pl.col("is_trend") | ~pl.col("is_trend").any().over(SERIES))
        )
        slope, counted = pl.col("slope").filter("is_trend"), pl.col("widths").filter("is_counted")
        return by_replicate.group_by(SERIES).agg(
            mean=slope.mean(), deviation=slope.std(), replicates=slope.len(), there=counted.len(), widths=counted.min()
        )

    labels = trials.group_by(SERIES).agg(pl.col(LABELS).first())
    return (
        labels.join(means(trials), on=SERIES, how="left")
        .join(held(trials.filter(score.is_finite()), SERIES, means, marks), on=SERIES, how="left")
        .with_columns(pl.col("replicates").fill_null(0), measure=pl.lit(measure), bound=pl.lit(bound))
        .sort(SERIES)
    )


def _verdict() -> pl.Expr:
    undecided = pl.any_horizontal(pl.col("removability", "repetition") == "undecided")
    growing = pl.concat_str(pl.col("removability", "repetition") == "grows", separator=" ")
    names = {"true true": "both", "true false": "removable", "false true": "repeated", "false false": "neither"}
    return pl.when(undecided).then(pl.lit("undecided")).otherwise(growing.replace_strict(names))
