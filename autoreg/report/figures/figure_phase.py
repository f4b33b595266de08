"""Figure Phase: what a network needs, repeats and removes, and how far it moves, against width and richness."""

from collections.abc import Mapping
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from autoreg.report.figures import style
from autoreg.report.figures.notes import add_note, describe_sources

#: Column, label and title of each panel, and whether it starts above 0 and is drawn on a logarithmic scale.
PANELS = (
    ("compressed_width", "Compressed width factor", "Units needed", True),
    ("similar_units", "Similar units per unit", "Repeated units", True),
    ("auc", "AUC of unchanged labels", "Removable units", False),
    ("movement", "‖W − W₀‖ / ‖W₀‖", "Movement", True),
)
#: Below this training accuracy a network has not learnt its examples, and its point is hollow.
LEARNT = 0.95


def draw(frame: pl.DataFrame, published: pl.DataFrame) -> Figure:
    """Return a panel against width for each score that is measured; with several richnesses also a map of the first.

    Args:
        frame: columns series, richness, width, train_accuracy, those of `PANELS` with their deviations over replicates,
            network, dataset, replicates; one row a series and width.
        published: not drawn.
    """
    panels = [panel for panel in PANELS if frame[panel[0]].count()]
    rich = frame.drop_nulls("richness")
    has_map = rich["richness"].n_unique() > 1
    figure, [row] = style.new_figure([[panel[2] for panel in panels] + ["Map"] * has_map])
    names = frame.sort("richness", "series", nulls_last=True)["series"].unique(maintain_order=True).to_list()
    looks = style.shades(names) if has_map else {name: style.look_of(name, names) for name in names}
    for axes, panel in zip(row, panels, strict=False):
        _draw_panel(axes, frame, looks, *panel)
    style.legend_outside(figure)
    if has_map:
        _draw_map(figure, row[-1], rich.sort("richness", "series", "width"), *panels[0][:2])
    describe_sources(figure, frame, [])
    hollow = f"hollow: training accuracy below {LEARNT:.0%}"
    add_note(figure, hollow)
    return figure


def _draw_panel(
    axes: Axes, frame: pl.DataFrame, looks: Mapping[str, Any], column: str, label: str, _: str, logarithmic: bool
) -> None:
    for name, look in looks.items():
        line = frame.filter(series=name)
        style.draw_line(axes, line, "width", column, f"{column}_std", label=name, **look)
        hollow = line.filter(pl.col("train_accuracy") < LEARNT).drop_nulls(column)
        axes.plot(
            hollow["width"].to_list(), hollow[column].to_list(), linestyle="", marker=look["marker"],
            color=look["color"], markerfacecolor="white", zorder=3,
        )  # fmt: skip
    style.width_axis(axes, frame["width"].to_list())
    lowest = min(frame[column].drop_nulls().to_list())
    if logarithmic and lowest > 0:
        style.count_axis(axes, lowest)
    axes.set_ylabel(label)


def _draw_map(figure: Figure, axes: Axes, frame: pl.DataFrame, column: str, label: str) -> None:
    table = frame.pivot("width", index="series", values=column)
    widths = sorted(table.columns[1:], key=float)
    values = table.select(widths).to_numpy()
    image = axes.imshow(values, norm=LogNorm(), cmap="viridis", aspect="auto", origin="lower")
    bar = figure.colorbar(image, ax=axes, label=label)
    bar.ax.yaxis.set_major_locator(LogLocator(base=2, numticks=20))
    bar.ax.yaxis.set_major_formatter("{x:g}")
    bar.minorticks_off()
    axes.set_xticks(range(len(widths)), [style.width_label(float(width)) for width in widths])
    axes.set_yticks(range(table.height), table["series"].to_list())
    axes.grid(visible=False)
    axes.set_xlabel("Width factor")
