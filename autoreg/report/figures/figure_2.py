"""Figure 2: ablation curves by width, one panel for each initializer."""

import polars as pl
from matplotlib.figure import Figure

from autoreg.report.figures.style import (
    draw_line,
    draw_published,
    legend_outside,
    new_figure,
    series_order,
    shades,
    width_label,
)


def draw(frame: pl.DataFrame, published: pl.DataFrame) -> Figure:
    """Return the share of labels unchanged against the share of units dropped; bars: deviation over samples.

    Args:
        frame: columns series, width, fraction, unchanged, unchanged_std; one row each.
        published: the paper's curves; columns series, width, x (the fraction), score, value.
    """
    conditions = series_order(frame["series"])
    curves, papers = frame.with_columns(pl.col("fraction") * 100), published.with_columns(pl.col("x") * 100)
    figure, [row] = new_figure([conditions])
    for axes, condition in zip(row, conditions, strict=True):
        for width, look in shades(frame["width"].unique().sort()).items():
            draw_published(axes, papers.filter(width=width), condition, "unchanged", 100, look["marker"])
            curve = curves.filter(series=condition, width=width)
            draw_line(axes, curve, "fraction", "unchanged", "unchanged_std", 100, label=width_label(width), **look)
        axes.set_ylim(0, 103)
        axes.set_xlabel("Units dropped (%)")
        axes.set_ylabel("Labels unchanged (%)")
    legend_outside(figure, title="Width")
    samples, replicates = max(frame["samples"].to_list()), max(frame["replicates"].to_list())
    counted = f"{replicates} replicate{'' if replicates == 1 else 's'}, {samples} samples of units each"
    note = f"{frame['network'][0]} on {frame['dataset'][0]}, {counted}"
    figure.supxlabel(note, fontsize=7, color="#555555")
    return figure
