"""Panels of a score against width, one line for each condition: the form of most of the paper's figures."""

from dataclasses import dataclass

import polars as pl
from matplotlib.figure import Figure

from autoreg.figures.style import look_of, new_figure, width_axis


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        column: what it shows.
        error: the column of its error bars' half length.
        label: of the y axis.
        title: above it.
        scale: multiplies column and error.
        logarithmic: whether the y axis is logarithmic where all values are positive.
    """

    column: str
    error: str
    label: str
    title: str
    scale: float = 1.0
    logarithmic: bool = False


ACCURACY = Panel("test_accuracy", "test_accuracy_std", "Test accuracy (%)", "Accuracy", scale=100)
REMOVABILITY = Panel("auc", "auc_std", "AUC of unchanged labels", "Removable units")
REPETITION = Panel("similar_units", "similar_units_std", "Similar units per unit", "Repeated units", logarithmic=True)


def draw_panels(frame: pl.DataFrame, panels: list[Panel]) -> Figure:
    """Return a figure of panels side by side.

    Args:
        frame: columns series, width, replicates and those of the panels, one row a series and width.
        panels: what to show.
    """
    figure, [row] = new_figure(len(panels))
    conditions = sorted(frame["series"].unique().to_list())
    widths = frame["width"].to_list()
    replicates = sorted(set(frame["replicates"].to_list()))
    for letter, axes, panel in zip("abcdef", row, panels, strict=False):
        for place, condition in enumerate(conditions):
            aside = 2 ** (0.04 * (place - (len(conditions) - 1) / 2))  # so that error bars stand side by side
            line = frame.filter((pl.col("series") == condition) & pl.col(panel.column).is_not_null()).sort("width")
            values = (line[panel.column] * panel.scale).to_list()
            errors = (line[panel.error].fill_null(0.0) * panel.scale).to_list()
            axes.errorbar(
                (line["width"] * aside).to_list(),
                values,
                yerr=errors,
                label=condition,
                capsize=2.5,
                **look_of(condition, conditions),
            )
        width_axis(axes, widths)
        lowest = min(frame[panel.column].drop_nulls().to_list(), default=0.0)
        if panel.logarithmic and lowest > 0:
            axes.set_yscale("log")
            axes.set_ylim(bottom=lowest / 3)  # a deviation larger than its mean would reach down to -∞
        axes.set_ylabel(panel.label)
        axes.set_title(f"({letter}) {panel.title}", loc="left")
    row[0].legend()
    figure.supxlabel(
        f"{frame['network'][0]} on {frame['dataset'][0]}, {_counted(replicates)}", fontsize=7, color="#555555"
    )
    return figure


def _counted(replicates: list[int]) -> str:
    count = str(replicates[0]) if len(replicates) == 1 else f"{replicates[0]}–{replicates[-1]}"
    return f"{count} replicate{'' if replicates == [1] else 's'} a point"
