"""How all figures look: one colour and marker for a condition, wherever it appears."""

import math
import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain, count, cycle
from string import ascii_lowercase
from typing import Any, TypeVar

import matplotlib as mpl
import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from autoreg.config.factors import format_width
from autoreg.packaged import packaged_folder

Thing = TypeVar("Thing")

#: What the legend calls the published values, and their colour. No series has a name that ends in a space of no width.
PAPER = "paper\u200b"
GREY = "#8c8c8c"

#: Colours of series on a white page and on a dark one (#14171b): colour-blind eyes and grey print tell any two apart.
SERIES_COLOURS = {
    "light": ["#006ecd", "#7c3300", "#00a762", "#b40686", "#997f1a", "#2a3744"],
    "dark": ["#38a6f9", "#fa5945", "#7afeb6", "#fcbbea", "#f5a000", "#718290"],
}
COLOURS = SERIES_COLOURS["light"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
FILLINGS = ["full", "left", "top", "right", "bottom"]
DEVIATION = "± standard deviation over replicates"
#: What marks the bars of one network's units, which are no uncertainty.
PALE = "over units"
#: What marks the points of networks that are trained but not measured.
HOLLOW = "not measured"

#: Conditions that keep their colour and marker in every figure: which one of `COLOURS` and `MARKERS`.
CONDITIONS: dict[str, int] = {
    row["label"]: row["look"]
    for row in pl.read_csv(packaged_folder("reference") / "labels.csv").drop_nulls("look").iter_rows(named=True)
}

SETTINGS: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "pdf.fonttype": 42,
    "savefig.bbox": "tight",
    "svg.hashsalt": "autoreg",  # else a figure is never the same bytes
}


def as_names(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose texts are names to matplotlib: no formula at a dollar, and in the legend after a _."""
    texts = pl.col(pl.String)
    return frame.with_columns(texts.str.replace_all("$", r"\$", literal=True).str.replace_all("(^|, )_", "${1}\u200b_"))


def fonts_for(frame: pl.DataFrame) -> tuple[list[str], list[str]]:
    """Return the fonts that have the letters of a frame's texts, the usual one first, and the letters that none has."""
    lacking = {
        letter for column in frame.select(pl.col(pl.String)) for text in column.unique().drop_nulls() for letter in text
    }
    families = ["DejaVu Sans"]
    lacking -= _letters(findfont(families[0]))
    for font in sorted(fontManager.ttflist, key=lambda font: ("CJK" not in font.name, font.weight != 400, font.name)):
        # The last resort of matplotlib has a box for every letter.
        if lacking and not font.name.startswith("Last Resort") and (has := lacking & _letters(font.fname)):
            families.append(font.name)
            lacking -= has
    return families, sorted(lacking)


@cache
def _letters(font: str) -> frozenset[str]:
    return frozenset(map(chr, FT2Font(font).get_charmap()))


def new_figure(titles: Sequence[Sequence[str]], width: float = 3.4) -> tuple[Figure, list[list[Axes]]]:
    """Return a figure and its axes by row and column, each with a letter and title; width is one panel's, in inches."""
    rows, columns = len(titles), len(titles[0])
    figure = Figure(figsize=(width * columns, 2.9 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for letter, panel, title in zip(cycle(ascii_lowercase), axes.flat, chain(*titles), strict=False):
        panel.set_title(f"({letter}) {title}", loc="left")
    return figure, [list(row) for row in axes]


def look_of(condition: str, conditions: Sequence[str]) -> dict[str, Any]:
    """Return how a condition is drawn, no two alike; one that is not known takes the first look that is free.

    A colour that comes again has a dotted and dashed line, with one dot more each time, and another filling.
    """
    taken: dict[str, int] = {}
    for name in sorted(conditions, key=lambda name: name not in CONDITIONS):
        own = count(CONDITIONS[name], len(COLOURS)) if name in CONDITIONS else count()
        taken[name] = next(look for look in own if look not in taken.values())
    again, look = divmod(taken[condition], len(COLOURS))
    line = {"linestyle": (0, (4, 1.5, *(1, 1.5) * again)), "fillstyle": FILLINGS[again % len(FILLINGS)]}
    return {"color": COLOURS[look], "marker": MARKERS[look], **(line if again else {})}


def series_order(names: Iterable[str]) -> list[str]:
    """Return series, each once, as legends show them: known ones by their place, numbers by value."""

    def key(name: str) -> tuple[int, float, str]:
        numbers = re.findall(r"[-+]?\d*\.?\d+(?:e[-+]?\d+)?", name.replace(",", ""))
        return CONDITIONS.get(name, len(COLOURS)), float(numbers[0]) if numbers else math.inf, name

    return sorted(set(names), key=key)


def shades(things: Iterable[Thing]) -> dict[Thing, dict[str, Any]]:
    """Return colour and marker of each thing of an ordered row, from light to dark."""
    ordered, scale = list(things), mpl.colormaps["viridis_r"]
    span = max(1, len(ordered) - 1)
    return {
        thing: {"color": to_hex(scale(0.15 + 0.8 * index / span)), "marker": MARKERS[index % len(MARKERS)]}
        for index, thing in enumerate(ordered)
    }


def draw_line(axes: Axes, rows: pl.DataFrame, x: str, y: str, error: str, scale: float = 1.0, **look: Any) -> None:
    """Draw a column against another, where it is measured, with its deviation over replicates, both times `scale`.

    A point of one replicate has no bar, nor has one whose deviation is null or in no column.
    """
    line = rows.drop_nulls(y).sort(x)
    values, errors = (line[y] * scale).to_list(), None
    if error in line.columns and (line.get_column("replicates", default=pl.Series([2])) > 1).any():
        shown = pl.when(pl.col("replicates") > 1).then(error) if "replicates" in line.columns else pl.col(error)
        errors = (line.select(shown.fill_null(math.nan)).to_series() * scale).to_list()
    axes.errorbar(line[x].to_list(), values, yerr=errors, **{"capsize": 2.5, **look})


def draw_spread(axes: Axes, rows: pl.DataFrame, x: str, y: str, spread: str, scale: float, colour: str) -> None:
    """Draw, pale and wide behind a line, the standard deviation within its networks, if the rows have that column."""
    if spread in rows.columns:
        line = rows.drop_nulls([y, spread])
        low, high = ((line[y] + sign * line[spread]) * scale for sign in (-1, 1))
        look: Any = {"color": colour, "alpha": 0.2, "linewidth": 5, "zorder": 1.4, "gid": PALE}
        axes.vlines(line[x].to_list(), low.to_list(), high.to_list(), **look)


def draw_hollow(axes: Axes, points: pl.DataFrame, column: str, scale: float, look: dict[str, Any]) -> None:
    """Draw trials that are trained but not measured at their widths, in the colour and marker of their series."""
    if not points.is_empty():
        axes.plot(
            points["width"].to_list(), (points[column] * scale).to_list(), color=look["color"], marker=look["marker"],
            linestyle="none", markerfacecolor="white", zorder=2.5, gid=HOLLOW,
        )  # fmt: skip


def draw_published(axes: Axes, published: pl.DataFrame, series: str, score: str, scale: float, marker: str) -> None:
    """Draw the paper's values of a series behind ours, thin and grey."""
    line = published.filter(series=series, score=score).sort("x")
    if line.height:
        axes.plot(
            line["x"].to_list(), (line["value"] * scale).to_list(), label=PAPER, color=GREY, linewidth=0.9,
            linestyle="--", marker=marker, markersize=3.5, fillstyle="none", zorder=1.5,
        )  # fmt: skip


def legend_entries(all_axes: Sequence[Axes]) -> tuple[list[Any], list[str]]:
    """Return handles and labels of some axes, each label once, the paper's last."""
    entries: dict[str, Any] = {}
    for axes in all_axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    if PAPER in entries:
        if "paper" in entries:
            entries = {f"{label} (ours)" if label == "paper" else label: handle for label, handle in entries.items()}
        entries[PAPER] = entries.pop(PAPER)
    return list(entries.values()), list(entries)


def legend_outside(figure: Figure, title: str | None = None) -> None:
    """Put one legend for all axes at the right, in two columns if it is long."""
    handles, labels = legend_entries(figure.axes)
    figure.legend(handles, labels, loc="outside right upper", title=title, ncols=2 if len(labels) > 10 else 1)


def width_label(width: float) -> str:
    """Return a width as an axis shows it: `¼×`, `1×`."""
    text = format_width(width)
    return {"1/4": "¼", "1/2": "½", "3/4": "¾"}.get(text, text) + "×"


def count_axis(axes: Axes, lowest: float) -> None:
    """Make the y axis a logarithmic one of counts, from half of `lowest` on, with plain numbers at its ticks."""
    axes.set_yscale("log")
    axes.set_ylim(bottom=lowest / 2)  # a deviation larger than its mean would reach down to -∞
    bottom, top = axes.get_ylim()
    subs = (1, 2, 5) if top < 100 * bottom else (1,)
    axes.yaxis.set_major_locator(LogLocator(subs=subs, numticks=20))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,g}"))


def width_axis(axes: Axes, widths: Sequence[float]) -> None:
    """Make the x axis one of widths: logarithmic to base 2, with a tick for each."""
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(sorted(set(widths))))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda width, _: width_label(width)))
    axes.set_xlim(min(widths) / 1.25, max(widths) * 1.25)
    axes.set_xlabel("Width factor")
