"""Slopes of a score over log2(width), one a replicate, and whether what their mean says hangs on one width."""

from collections.abc import Callable, Sequence

import polars as pl

#: A line over fewer widths would be no trend: a replicate that has fewer is left out.
FEWEST_WIDTHS = 3


def replicate_slopes(trials: pl.DataFrame, keys: Sequence[str], score: pl.Expr) -> pl.DataFrame:
    """Return `keys`, `replicate`, `slope` of the least-squares line and how many `widths` are behind it.

    Args:
        trials: columns of `keys`, replicate, width and what the score is made from; one row for each of them.
        keys: what a line is of, beside the replicate.
        score: what is drawn against log2(width); where it is not finite it does not count.
    """
    doublings = pl.col("width").log(2)
    return (
        trials.select(*keys, "replicate", "width", score=score)
        .filter(pl.col("score").is_finite())
        .sort(*keys, "replicate", "width")  # sums do not depend on the order of the rows
        .group_by(*keys, "replicate", maintain_order=True)
        .agg(slope=pl.cov(doublings, "score") / doublings.var(), widths=pl.len())
    )


def held(
    trials: pl.DataFrame,
    keys: Sequence[str],
    mean_of: Callable[[pl.DataFrame], pl.DataFrame],
    marks: Sequence[float],
) -> pl.DataFrame:
    """Return `keys` and `held`: with how many widths left out, each alone, a mean stays on its side of all marks.

    Args:
        trials: columns of `keys`, width, and what `mean_of` reads.
        keys: of a claim.
        mean_of: returns `keys` and `mean` of some trials; no row, or null, for a claim that they do not suffice for.
        marks: such as 0, for the sign of a slope.

    Returns:
        `held` is a text such as `4 of 5`; null where three widths would not be left.
    """
    widths = trials.select(*keys, "width").unique()
    without = [
        mean_of(trials.filter(pl.col("width") != width)).select(*keys, "mean", width=pl.lit(width))
        for width in widths["width"].unique()
    ]
    is_same = pl.all_horizontal((pl.col("mean") > mark) == (pl.col("all") > mark) for mark in marks)
    count = pl.format("{} of {}", is_same.fill_null(value=False).sum(), pl.len())
    return (
        widths.join(mean_of(trials).select(*keys, all="mean"), on=keys)
        .join(
            pl.concat([widths.clear().with_columns(mean=0.0), *without], how="diagonal"),
            on=[*keys, "width"],
            how="left",
        )
        .group_by(keys)
        .agg(held=pl.when(pl.len() > FEWEST_WIDTHS).then(count))
    )
