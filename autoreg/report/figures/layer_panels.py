"""Panels of a score against width, one line for each layer and one row for each series."""

import polars as pl
from matplotlib.figure import Figure

from autoreg.report.figures import style
from autoreg.report.figures.notes import describe_sources
from autoreg.report.figures.width_panels import panels_of


def draw(frame: pl.DataFrame, published: pl.DataFrame, *columns: str) -> Figure:
    """Return a figure with a row for each series; bars: deviation over replicates, pale ones over a network's units.

    Args:
        frame: columns series, width, layer, layer_index, network, dataset, replicates and the panels' columns; one row
            a series, width and layer.
        published: not drawn; the paper's layer-wise pictures are of another measure.
        columns: the panels' columns in order; none for all scores that it has.

    Raises:
        ConfigError: the frame has no such column.
    """
    names, panels = style.series_order(frame["series"]), panels_of(frame, columns)
    layers = style.shades(frame.sort("layer_index")["layer"].unique(maintain_order=True))
    figure, rows = style.new_figure(
        [[f"{name}: {panel.title.lower()}" for panel in panels] for name in names], width=4.0
    )
    for row, name in zip(rows, names, strict=True):
        for axes, panel in zip(row, panels, strict=True):
            for layer, look in layers.items():
                line = frame.filter(series=name, layer=layer)
                if panel.spread:
                    style.draw_spread(axes, line, "width", panel.column, panel.spread, panel.scale, look["color"])
                style.draw_line(axes, line, "width", panel.column, panel.deviation, label=layer, capsize=2, **look)
            style.width_axis(axes, frame["width"].to_list())
            axes.set_ylabel(panel.label)
    style.legend_outside(figure, title="Layer")
    describe_sources(figure, frame, [panel.column for panel in panels])
    return figure
