"""Figure B2: scores during the last epochs of training, one line for each width and one row for each series."""

import polars as pl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from autoreg.report.figures import style
from autoreg.report.figures.notes import describe_sources
from autoreg.report.figures.width_panels import PANELS


def draw(frame: pl.DataFrame, published: pl.DataFrame) -> Figure:
    """Return accuracy, area under the curve and similar units against the epochs left; bars: over replicates.

    Args:
        frame: columns series, width, epochs_before_end, network, dataset, replicates and the panels' columns.
        published: the paper's points; columns series, width, x (epochs before the end), score, value.
    """
    names, panels = (
        style.series_order(frame["series"]),
        [PANELS[name] for name in ("test_accuracy", "auc", "similar_units")],
    )
    widths = style.shades(frame["width"].unique().sort())
    titles = [
        [f"{name}: {panel.title.lower()}" if len(names) > 1 else panel.title for panel in panels] for name in names
    ]
    figure, rows = style.new_figure(titles)
    for row, name in zip(rows, names, strict=True):
        for axes, panel in zip(row, panels, strict=True):
            for width, look in widths.items():
                paper, curve = published.filter(width=width), frame.filter(series=name, width=width)
                style.draw_published(axes, paper, name, panel.column, panel.scale, look["marker"])
                label = style.width_label(width)
                place, own = "epochs_before_end", {"label": label, **look}
                style.draw_line(axes, curve, place, panel.column, panel.deviation, panel.scale, **own)
            axes.invert_xaxis()
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_xlabel("Epochs before the end")
            axes.set_ylabel(panel.label)
    style.legend_outside(figure, title="Width")
    describe_sources(figure, frame, [panel.column for panel in panels])
    return figure
