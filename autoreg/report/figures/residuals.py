"""Ours against the paper's values: one point for each published value that we have a counterpart of."""

from string import ascii_lowercase

import polars as pl
from matplotlib.figure import Figure

from autoreg.report.figures.style import legend_outside, look_of, new_figure
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
    figure, [row] = new_figure(len(shown))
    for letter, axes, panel in zip(ascii_lowercase, row, shown, strict=False):
        points = comparison.filter(pl.col("score") == panel.column)
        for sweep in sweeps:
            own = points.filter(pl.col("sweep") == sweep)
            axes.errorbar(
                (own["paper"] * panel.scale).to_list(),
                (own["ours"] * panel.scale).to_list(),
                yerr=(own["replicate_std"].fill_null(0.0) * panel.scale).to_list(),
                label=sweep,
                linestyle="none",
                elinewidth=0.8,
                **look_of(sweep, sweeps),
            )
        values = [value * panel.scale for value in (*points["paper"], *points["ours"])]
        if panel.logarithmic and min(values) > 0:
            axes.set_xscale("log")
            axes.set_yscale("log")
        ends = [min(values), max(values)]
        axes.plot(ends, ends, color="#8c8c8c", linewidth=0.9, linestyle="--", zorder=1.5)
        axes.set_xlabel(f"{panel.label}, paper")
        axes.set_ylabel(f"{panel.label}, ours")
        axes.set_title(f"({letter}) {panel.title}", loc="left")
    legend_outside(figure)
    return figure
