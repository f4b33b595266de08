"""How all figures look: one colour and marker for a condition, wherever it appears."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

#: Okabe and Ito's colours, which colour-blind eyes tell apart, in an order whose greys differ too.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]

#: Conditions that keep their place in every figure.
CONDITIONS = [
    ["Glorot Norm", "Glorot Unif", "None", "True labels", "σ = 0.0001"],
    ["He Norm", "He Unif", "Data Aug.", "Random labels", "σ = 0.01"],
    ["LeCun Norm", "LeCun Unif", "Dropout", "σ = 1"],
    ["Weight Decay", "σ = 100"],
    ["Data Aug. + Dropout + Weight Decay", "σ = 10000"],
]

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
}


def new_figure(columns: int, rows: int = 1, width: float = 3.4, height: float = 2.9) -> tuple[Figure, list[list[Axes]]]:
    """Return a figure and its axes by row and column; width and height are of one panel, in inches."""
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    return figure, [list(row) for row in axes]


def look_of(condition: str, conditions: Sequence[str]) -> dict[str, Any]:
    """Return colour and marker of a condition; one that is not known takes the first look that is free."""
    places = {name: place for place, names in enumerate(CONDITIONS) for name in names}
    free = [place for place in range(len(COLOURS)) if place not in {places.get(name) for name in conditions}]
    unknown = [name for name in conditions if name not in places]
    spare = free or list(range(len(COLOURS)))
    place = places[condition] if condition in places else spare[unknown.index(condition) % len(spare)]
    return {"color": COLOURS[place], "marker": MARKERS[place]}


def width_colours(widths: Sequence[float]) -> dict[float, str]:
    """Return a colour for each width, from light (narrow) to dark (wide)."""
    shades = mpl.colormaps["viridis_r"]
    span = max(1, len(widths) - 1)
    return {width: to_hex(shades(0.15 + 0.8 * place / span)) for place, width in enumerate(sorted(widths))}


def format_width(width: float) -> str:
    """Return a width as an axis shows it: `¼×`, `1×`."""
    fraction = Fraction(width).limit_denominator(64)
    symbols = {Fraction(1, 4): "¼", Fraction(1, 2): "½", Fraction(3, 4): "¾"}
    return f"{symbols.get(fraction, fraction)}×"


def width_axis(axes: Axes, widths: Sequence[float]) -> None:
    """Make the x axis one of widths: logarithmic to base 2, with a tick for each."""
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(sorted(set(widths))))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda width, _: format_width(width)))
    axes.set_xlim(min(widths) / 1.25, max(widths) * 1.25)
    axes.set_xlabel("Width factor")
