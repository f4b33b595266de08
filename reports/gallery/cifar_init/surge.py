"""The drawing of `surge.sql`: similar units over all vectors, in samples, and of live units; by initializer."""

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autoreg.report.figures import style

#: What is drawn of a trial: column, label and look.
MARKS = (
    ("samples", "a sample of 50,000 vectors", {"marker": "o", "fillstyle": "none", "color": style.COLOURS[0]}),
    ("all_units", "all vectors", {"marker": "D", "color": style.COLOURS[1]}),
    ("live_units", "all vectors, live units", {"marker": "^", "color": style.COLOURS[2]}),
)
#: What the units of conv2 are, from the bottom up: label and colour.
PARTS = (("live", style.COLOURS[2]), ("nearly dead", style.COLOURS[4]), ("dead", style.COLOURS[-1]))


def draw(frame: pl.DataFrame, published: pl.DataFrame) -> Figure:
    """Return similar units against width, one mark a trial, above what conv2's units are; a column an initializer."""
    names, widths = style.series_order(frame["series"]), frame["width"].unique().sort().to_list()
    figure, [scores, shares] = style.new_figure([names, [f"{name}: units of conv2" for name in names]])
    lowest = min([*frame["live_units"], *frame["all_units"], *frame["samples"].explode()])
    highest = 1.5 * max([*frame["samples"].explode(), *frame["all_units"], *frame["paper"].drop_nulls()])
    for axes, below, name in zip(scores, shares, names, strict=True):
        own = frame.filter(series=name)
        paper = own.drop_nulls("paper").unique("width").sort("width")
        axes.plot(
            paper["width"], paper["paper"], label=style.PAPER, color=style.GREY, linewidth=0.9, linestyle="--",
            marker="o", markersize=3.5, fillstyle="none", zorder=1.5,
        )  # fmt: skip
        for column, label, look in MARKS:
            points = own.explode(column) if column == "samples" else own
            aside = 2 ** (0.12 * (points["replicate"] - 1) + {"samples": -0.03, "live_units": 0.03}.get(column, 0.0))
            axes.plot(points["width"] * aside, points[column], label=label, linestyle="none", markersize=4, **look)
        style.width_axis(axes, widths)
        axes.set_ylim(lowest / 2, highest)
        style.count_axis(axes, lowest)
        axes.set_ylabel("Similar units per unit")
        _draw_shares(below, own, widths)
    style.legend_outside(figure)
    counted = frame.group_by("series", "width").len()["len"]
    note = f"{frame['network'][0]} on {frame['dataset'][0]}, {min(counted)}–{max(counted)} replicates, one mark each, "
    note += "side by side; live: active at 1 in 1,000 positions or more; bars: mean over replicates"
    figure.supxlabel(note, fontsize=7, color="#555555")
    return figure


def _draw_shares(axes: Axes, rows: pl.DataFrame, widths: list[float]) -> None:
    means = rows.group_by("width").agg(pl.col("dead_share", "nearly_dead_share").mean() * 100).sort("width")
    places = [widths.index(width) for width in means["width"]]
    dead, near = means["dead_share"], means["nearly_dead_share"]
    bottom = pl.Series([0.0] * means.height)
    for (label, colour), values in zip(PARTS, (100 - dead - near, near, dead), strict=True):
        axes.bar(places, values, bottom=bottom, label=label, color=colour, width=0.7)
        bottom = bottom + values
    axes.set_xticks(range(len(widths)), [style.width_label(width) for width in widths])
    axes.set_xlim(-0.6, len(widths) - 0.4)
    axes.set_ylim(0, 100)
    axes.grid(visible=False)
    axes.set_xlabel("Width factor")
    axes.set_ylabel("Share of units (%)")
