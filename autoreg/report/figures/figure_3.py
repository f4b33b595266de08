"""Figure 3: how |r| is spread in the last convolutional layer, by width, one panel for each initializer."""

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from autoreg.report.figures.notes import add_note
from autoreg.report.figures.style import GREY, PAPER, legend_outside, new_figure, series_order, shades, width_label


def draw(frame: pl.DataFrame, published: pl.DataFrame) -> Figure:
    """Return a violin of |r| for each width, with a bar at the mean, drawn from the histogram of pairs.

    Args:
        frame: columns series, width, layer, bin_low, bin_high, share, mean_abs_r; one row a bin that has pairs.
        published: the paper's means; columns series, width, score, value.
    """
    conditions, widths = series_order(frame["series"]), shades(frame["width"].unique().sort())
    figure, [row] = new_figure([[f"{condition}, {frame['layer'][0]}" for condition in conditions]], width=3.0)
    for axes, condition in zip(row, conditions, strict=True):
        for x, (width, look) in enumerate(widths.items()):
            bins = frame.filter(series=condition, width=width).sort("bin_low")
            if bins.is_empty():
                continue
            edges, outline = _outline(bins)
            axes.fill_betweenx(edges, x - outline, x + outline, step="post", color=look["color"], linewidth=0)
            mean = bins["mean_abs_r"][0]
            axes.hlines(mean, x - 0.3, x + 0.3, color="black", linewidth=1.4)
            for value in published.filter(series=condition, width=width)["value"].to_list():
                axes.hlines(value, x - 0.3, x + 0.3, color=GREY, linewidth=1.2, linestyle=":", label=PAPER)
            axes.annotate(f"{mean:.2f}", (x + 0.31, mean), fontsize=7, va="center")
        axes.set_xticks(range(len(widths)), [width_label(width) for width in widths])
        axes.set_xlim(-0.6, len(widths) - 0.3)
        axes.set_ylim(0, 1)
        axes.set_xlabel("Width factor")
        axes.set_ylabel("|Pearson r| of pairs of units")
    if published.height:
        legend_outside(figure)
    note = f"{frame['network'][0]} on {frame['dataset'][0]}; black bar: mean"
    add_note(figure, note)
    return figure


def _outline(bins: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return bin edges from 0 to 1 and the violin's half width from each edge on, the widest bin 0.42."""
    step = bins["bin_high"][0] - bins["bin_low"][0]
    count = round(1 / step)
    share = np.zeros(count + 1)
    share[np.rint(bins["bin_low"].to_numpy() / step).astype(int)] = bins["share"].to_numpy()
    return np.linspace(0, 1, count + 1), 0.42 * share / share.max()
