"""Panels of a score against width, one line for each layer and one row for each series."""

from itertools import cycle
from string import ascii_lowercase

import polars as pl
from matplotlib.figure import Figure

from autoreg.report.figures.style import (
    MARKERS,
    describe_sources,
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
    names = series_order(frame["series"].unique().to_list())
    layers = frame.sort("layer_index")["layer"].unique(maintain_order=True).to_list()
    colours = shades(layers)
    figure, axes = new_figure(len(columns), len(names), width=4.0)
    letters = iter(ascii_lowercase * 2)
    for row, name in zip(axes, names, strict=True):
        own = frame.filter(pl.col("series") == name)
        for each, column in zip(row, columns, strict=True):
            panel = PANELS[column]
            for layer, marker in zip(layers, cycle(MARKERS), strict=False):
                line = own.filter((pl.col("layer") == layer) & pl.col(column).is_not_null()).sort("width")
                each.errorbar(
                    line["width"].to_list(),
                    line[column].to_list(),
                    yerr=line[panel.error].fill_null(0.0).to_list(),
                    label=layer,
                    color=colours[layer],
                    marker=marker,
                    capsize=2,
                )
            width_axis(each, frame["width"].to_list())
            each.set_ylabel(panel.label)
            each.set_title(f"({next(letters)}) {name}: {panel.title.lower()}", loc="left")
    legend_outside(figure, title="Layer")
    describe_sources(figure, frame)
    return figure
