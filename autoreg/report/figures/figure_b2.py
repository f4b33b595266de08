"""Figure B2: scores during the last epochs of training, one line for each width."""

from itertools import cycle
from string import ascii_lowercase

import polars as pl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from autoreg.report.figures.style import (
    MARKERS,
    describe_sources,
    draw_published,
    legend_outside,
    new_figure,
    width_colours,
    width_label,
)
from autoreg.report.figures.width_panels import PANELS


def draw(frame: pl.DataFrame, published: pl.DataFrame) -> Figure:
    """Return accuracy, area under the curve and similar units against the epochs left; bars: over replicates.

    Args:
        frame: columns width, epochs_before_end, network, dataset, replicates and the panels' columns.
        published: the paper's points; columns width, x (epochs before the end), score, value.
    """
    colours = width_colours(frame["width"].unique().to_list())
    figure, [row] = new_figure(3)
    for letter, axes, column in zip(ascii_lowercase, row, ("test_accuracy", "auc", "similar_units"), strict=False):
        panel = PANELS[column]
        error = "similar_units_replicate_std" if column == "similar_units" else panel.error
        for (width, colour), marker in zip(colours.items(), cycle(MARKERS), strict=False):
            paper = published.filter(pl.col("width") == width)
            for name in paper["series"].unique().to_list():
                draw_published(axes, paper, name, column, panel.scale, marker)
            line = frame.filter((pl.col("width") == width) & pl.col(column).is_not_null()).sort("epochs_before_end")
            axes.errorbar(
                line["epochs_before_end"].to_list(),
                (line[column] * panel.scale).to_list(),
                yerr=(line[error].fill_null(0.0) * panel.scale).to_list(),
                label=width_label(width),
                color=colour,
                marker=marker,
                capsize=2.5,
            )
        axes.invert_xaxis()
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("Epochs before the end")
        axes.set_ylabel(panel.label)
        axes.set_title(f"({letter}) {panel.title}", loc="left")
    legend_outside(figure, title="Width")
    describe_sources(figure, frame)
    return figure
