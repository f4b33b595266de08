"""Panels of a score against width, one line for each layer and one row for each series."""

import polars as pl
from matplotlib.figure import Figure

from autoreg.report.figures.style import (
    describe_sources,
    draw_line,
    legend_outside,
    new_figure,
    series_order,
    shades,
    width_axis,
)
from autoreg.report.figures.width_panels import PANELS


def draw(frame: pl.DataFrame, published: pl.DataFrame, *columns: str) -> Figure:
    """Return a figure with a row for each series; bars: deviation over replicates, of similar units over units.

    Args:
        frame: columns series, width, layer, layer_index, network, dataset, replicates and the panels' columns; one row
            a series, width and layer.
        published: not drawn; the paper's layer-wise pictures are of another measure.
        columns: the panels' columns in order.
    """
    names, panels = series_order(frame["series"]), [PANELS[column] for column in columns]
    layers = shades(frame.sort("layer_index")["layer"].unique(maintain_order=True))
    figure, rows = new_figure([[f"{name}: {panel.title.lower()}" for panel in panels] for name in names], width=4.0)
    for row, name in zip(rows, names, strict=True):
        for axes, panel in zip(row, panels, strict=True):
            for layer, look in layers.items():
                line = frame.filter(series=name, layer=layer)
                draw_line(axes, line, "width", panel.column, panel.error, label=layer, capsize=2, **look)
            width_axis(axes, frame["width"].to_list())
            axes.set_ylabel(panel.label)
    legend_outside(figure, title="Layer")
    describe_sources(figure, frame)
    return figure
