"""Ours against the paper's values: one point for each published value that we have a counterpart of."""

import polars as pl
from matplotlib.figure import Figure

from autoreg.report.figures.style import GREY, draw_line, legend_outside, look_of, new_figure
from autoreg.report.figures.width_panels import PANELS


def draw(comparison: pl.DataFrame) -> Figure | None:
    """Return one panel for each score, paper along x and ours along y, or None if no score of a panel is in it.

    Args:
        comparison: the rows of the table `comparison`: sweep, score, paper, ours, replicate_std.
    """
    shown = [panel for panel in PANELS.values() if panel.column in comparison["score"].unique().to_list()]
    if not shown:
        return None
    sweeps = comparison["sweep"].unique().sort().to_list()
    figure, [row] = new_figure([[panel.title for panel in shown]])
    for axes, panel in zip(row, shown, strict=True):
        points = comparison.filter(score=panel.column).with_columns(pl.col("paper") * panel.scale)
        for sweep in sweeps:
            look = {**look_of(sweep, sweeps), "linestyle": "none", "elinewidth": 0.8, "capsize": None}
            draw_line(
                axes, points.filter(sweep=sweep), "paper", "ours", "replicate_std", panel.scale, label=sweep, **look
            )
        values = [*points["paper"], *(points["ours"] * panel.scale)]
        if panel.logarithmic and min(values) > 0:
            axes.set_xscale("log")
            axes.set_yscale("log")
        ends = [min(values), max(values)]
        axes.plot(ends, ends, color=GREY, linewidth=0.9, linestyle="--", zorder=1.5)
        axes.set_xlabel(f"{panel.label}, paper")
        axes.set_ylabel(f"{panel.label}, ours")
    legend_outside(figure)
    return figure
