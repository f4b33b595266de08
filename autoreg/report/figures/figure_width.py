"""Figure Width: how wide a network is after surgery, against how wide it was."""

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from autoreg.report.figures import style
from autoreg.report.figures.notes import add_note, describe_sources
from autoreg.report.figures.surgeries import LOOKS

#: What the units of a network are, from the bottom up: column, name and colour.
PARTS = (
    ("needed", "needed", style.COLOURS[-1]),
    ("only_removable", "only removable", style.COLOURS[0]),
    ("only_repeated", "only repeated", style.COLOURS[1]),
    ("either_way", "either way", style.COLOURS[2]),
    ("only_together", "only together", style.COLOURS[4]),
)


def draw(frame: pl.DataFrame, published: pl.DataFrame) -> Figure:
    """Return compressed against nominal widths, one line a surgery, above what the units are; a column a series.

    Args:
        frame: columns series, width, surgery, compressed_width and its deviation over replicates, those of `PARTS`
            (null where not all of drop, merge and either were measured), tolerance, network, dataset, replicates.
        published: not drawn.
    """
    names = style.series_order(frame["series"])
    figure, [widths, shares] = style.new_figure([names, [f"{name}: units" for name in names]])
    for axes, below, name in zip(widths, shares, names, strict=True):
        own = frame.filter(series=name)
        _draw_widths(axes, own, min(frame["compressed_width"].to_list()))
        _draw_shares(below, own.unique("width").sort("width"))
    style.legend_outside(figure)
    describe_sources(figure, frame, [])
    kept = f"{frame['tolerance'][0]:.0%} of the labels unchanged on validation; dashed: every unit needed"
    add_note(figure, kept)
    return figure


def _draw_widths(axes: Axes, rows: pl.DataFrame, low: float) -> None:
    widths = rows["width"].to_list()
    ends = [min(widths), max(widths)]
    axes.plot(ends, ends, color=style.GREY, linestyle="--", linewidth=0.9, zorder=1.5)
    for surgery, look in LOOKS.items():
        line = rows.filter(surgery=surgery)
        if line.height:
            style.draw_line(axes, line, "width", "compressed_width", "compressed_width_std", **look)
    style.width_axis(axes, widths)
    axes.set_yscale("log", base=2)
    axes.set_ylim(low / 1.5, max(widths) * 1.25)  # a deviation larger than its mean would reach down to -∞
    axes.yaxis.set_major_locator(LogLocator(base=2, numticks=20))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda width, _: style.width_label(width)))
    axes.set_ylabel("Compressed width factor")


def _draw_shares(axes: Axes, rows: pl.DataFrame) -> None:
    places = list(range(rows.height))
    bottom = [0.0] * rows.height
    for column, label, colour in PARTS:
        values = [100 * (value or 0.0) for value in rows[column].to_list()]
        axes.bar(places, values, bottom=bottom, label=label, color=colour, width=0.8)
        bottom = [below + value for below, value in zip(bottom, values, strict=True)]
    axes.xaxis.set_major_locator(FixedLocator(places))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda _, place: style.width_label(rows["width"][place])))
    axes.grid(visible=False)
    axes.set_ylim(0, 100)
    axes.set_xlabel("Width factor")
    axes.set_ylabel("Share of units (%)")
