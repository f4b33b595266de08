"""Figure B1: parameters against width, one panel for each kind of data."""

import polars as pl
from matplotlib.figure import Figure

from autoreg.report.figures.style import draw_published, legend_entries, look_of, new_figure, series_order, width_axis


def draw(frame: pl.DataFrame, published: pl.DataFrame) -> Figure:
    """Return the number of trainable parameters against width, both logarithmic.

    Args:
        frame: columns panel, series, width, parameters; one row a series and width.
        published: the paper's numbers; columns series, width, score, value.
    """
    papers = ["Synthetic data", "CIFAR-10", "ImageNet"]
    own = sorted({*frame["panel"]} - {*papers})
    panels = [name for name in papers if name in frame["panel"]] + own
    figure, [row] = new_figure([panels])
    for axes, panel in zip(row, panels, strict=True):
        shown = frame.filter(panel=panel)
        series = series_order(shown["series"])
        for name in series:
            look = look_of(name, series)
            draw_published(axes, published, name, "parameters", 1.0, look["marker"])
            line = shown.filter(series=name).sort("width")
            axes.plot(line["width"].to_list(), line["parameters"].to_list(), label=name, **look)
        width_axis(axes, shown["width"].to_list())
        axes.set_yscale("log")
        axes.set_ylabel("Trainable parameters")
        axes.legend(*legend_entries([axes]), loc="upper left", fontsize=7.5)
        axes.set_ylim(top=axes.get_ylim()[1] * 8)  # room for the legend above the lines
    return figure
