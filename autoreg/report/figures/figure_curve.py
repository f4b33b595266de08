"""Figure Curve: what is left of the labels when units are taken out, chosen and mended or at random."""

import math

import polars as pl
from matplotlib.figure import Figure

from autoreg.report.figures import style
from autoreg.report.figures.notes import describe_sources
from autoreg.report.figures.surgeries import LOOKS


def draw(frame: pl.DataFrame, published: pl.DataFrame) -> Figure:
    """Return labels unchanged against units taken out, of the narrowest and the widest network; a row a series.

    Args:
        frame: columns series, width, surgery, taken, unchanged and its deviation over replicates, network, dataset,
            replicates; one row for each point.
        published: not drawn.
    """
    names = style.series_order(frame["series"])
    widths = sorted({min(frame["width"].to_list()), max(frame["width"].to_list())})
    titles = [[f"{name}: {style.width_label(width)}" for width in widths] for name in names]
    figure, rows = style.new_figure(titles)
    lowest = 10 * math.floor(10 * min(frame["unchanged"].to_list()))
    shown = frame.with_columns(pl.col("taken") * 100)
    for row, name in zip(rows, names, strict=True):
        for axes, width in zip(row, widths, strict=True):
            for surgery, look in LOOKS.items():
                line = shown.filter(series=name, width=width, surgery=surgery)
                if line.height:
                    style.draw_line(axes, line, "taken", "unchanged", "unchanged_std", 100, **look)
            axes.set_ylim(lowest, 103)
            axes.set_xlabel("Units taken out (%)")
            axes.set_ylabel("Labels unchanged (%)")
    style.legend_outside(figure)
    describe_sources(figure, frame, [])
    return figure
