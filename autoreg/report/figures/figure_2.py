"""Figure 2: ablation curves by width, one panel for each initializer."""

from itertools import cycle
from string import ascii_lowercase

import polars as pl
from matplotlib.figure import Figure

from autoreg.report.figures.style import (
    MARKERS,
    draw_published,
    legend_outside,
    new_figure,
    series_order,
    width_colours,
    width_label,
)


def draw(frame: pl.DataFrame, published: pl.DataFrame) -> Figure:
    """Return the share of labels unchanged against the share of units dropped; bars: deviation over samples.

    Args:
        frame: columns series, width, fraction, unchanged, unchanged_std; one row each.
        published: the paper's curves; columns series, width, x (the fraction), score, value.
    """
    conditions = series_order(frame["series"].unique().to_list())
    colours = width_colours(frame["width"].unique().to_list())
    figure, [row] = new_figure(len(conditions))
    for letter, axes, condition in zip(ascii_lowercase, row, conditions, strict=False):
        for marker, (width, colour) in zip(cycle(MARKERS), colours.items(), strict=False):
            paper = published.filter(pl.col("width") == width).with_columns(pl.col("x") * 100)
            draw_published(axes, paper, condition, "unchanged", 100, marker)
            line = frame.filter((pl.col("series") == condition) & (pl.col("width") == width)).sort("fraction")
            axes.errorbar(
                (line["fraction"] * 100).to_list(),
                (line["unchanged"] * 100).to_list(),
                yerr=(line["unchanged_std"] * 100).to_list(),
                label=width_label(width),
                color=colour,
                marker=marker,
                capsize=2.5,
            )
        axes.set_ylim(0, 103)
        axes.set_xlabel("Units dropped (%)")
        axes.set_ylabel("Labels unchanged (%)")
        axes.set_title(f"({letter}) {condition}", loc="left")
    legend_outside(figure, title="Width")
    samples, replicates = max(frame["samples"].to_list()), max(frame["replicates"].to_list())
    counted = f"{replicates} replicate{'' if replicates == 1 else 's'}, {samples} samples of units each"
    note = f"{frame['network'][0]} on {frame['dataset'][0]}, {counted}"
    figure.supxlabel(note, fontsize=7, color="#555555")
    return figure
