"""Figure B2: scores during the last epochs of training, one line for each width."""

import polars as pl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from autoreg.report.figures import style
from autoreg.report.figures.width_panels import PANELS


def draw(frame: pl.DataFrame, published: pl.DataFrame) -> Figure:
    """Return accuracy, area under the curve and similar units against the epochs left; bars: over replicates.

    Args:
        frame: columns width, epochs_before_end, network, dataset, replicates and the panels' columns.
        published: the paper's points; columns width, x (epochs before the end), score, value.
    """
    panels = [PANELS[column] for column in ("test_accuracy", "auc", "similar_units")]
    figure, [row] = style.new_figure([[panel.title for panel in panels]])
    for axes, panel in zip(row, panels, strict=True):
        error = "similar_units_replicate_std" if panel.column == "similar_units" else f"{panel.column}_std"
        for width, look in style.shades(frame["width"].unique().sort()).items():
            paper, curve, name = published.filter(width=width), frame.filter(width=width), style.width_label(width)
            for series in paper["series"].unique().to_list():
                style.draw_published(axes, paper, series, panel.column, panel.scale, look["marker"])
            style.draw_line(axes, curve, "epochs_before_end", panel.column, error, panel.scale, label=name, **look)
        axes.invert_xaxis()
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("Epochs before the end")
        axes.set_ylabel(panel.label)
    style.legend_outside(figure, title="Width")
    style.describe_sources(figure, frame, [panel.column for panel in panels])
    return figure
