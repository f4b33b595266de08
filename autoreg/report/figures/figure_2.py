"""Figure 2: ablation curves by width, one panel for each initializer."""

import polars as pl
from matplotlib.figure import Figure

from autoreg.report.figures import style
from autoreg.report.figures.notes import add_note, replicates_of


def draw(frame: pl.DataFrame, published: pl.DataFrame) -> Figure:
    """Return the share of labels unchanged against that of units dropped; pale bars: deviation over samples of units.

    Args:
        frame: columns series, width, fraction, unchanged, unchanged_std; one row each.
        published: the paper's curves; columns series, width, x (the fraction), score, value.
    """
    conditions = style.series_order(frame["series"])
    curves, papers = frame.with_columns(pl.col("fraction") * 100), published.with_columns(pl.col("x") * 100)
    figure, [row] = style.new_figure([conditions])
    for axes, condition in zip(row, conditions, strict=True):
        for width, look in style.shades(frame["width"].unique().sort()).items():
            style.draw_published(axes, papers.filter(width=width), condition, "unchanged", 100, look["marker"])
            curve = curves.filter(series=condition, width=width)
            style.draw_spread(axes, curve, "fraction", "unchanged", "unchanged_std", 100, look["color"])
            style.draw_line(axes, curve, "fraction", "unchanged", "", 100, label=style.width_label(width), **look)
        axes.set_ylim(0, 103)
        axes.set_xlabel("Units dropped (%)")
        axes.set_ylabel("Labels unchanged (%)")
    style.legend_outside(figure, title="Width")
    counted = f"{replicates_of(frame)}, {max(frame['samples'].to_list())} samples of units each"
    shown = f"{frame['network'][0]} on {frame['dataset'][0]}, {counted}"
    add_note(figure, shown, "pale bars: ± standard deviation over these samples")
    return figure
