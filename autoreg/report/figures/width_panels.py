"""Panels of a score against width, one line for each series: the form of most of the paper's figures."""

from dataclasses import dataclass

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autoreg.errors import ConfigError, did_you_mean
from autoreg.report.figures.style import (
    count_axis,
    describe_sources,
    draw_line,
    draw_published,
    legend_outside,
    look_of,
    new_figure,
    series_order,
    width_axis,
)


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


PANELS = {
    panel.column: panel
    for panel in (
        Panel("test_accuracy", "test_accuracy_std", "Test accuracy (%)", "Accuracy", scale=100),
        Panel("train_accuracy", "train_accuracy_std", "Training accuracy (%)", "Training accuracy", scale=100),
        Panel("auc", "auc_std", "AUC of unchanged labels", "Removable units"),
        Panel("similar_units", "similar_units_std", "Similar units per unit", "Repeated units", logarithmic=True),
    )
}


def draw(frame: pl.DataFrame, published: pl.DataFrame, *arguments: str) -> Figure:
    """Return a figure of panels side by side; bars: deviation over replicates, of similar units over units.

    Args:
        frame: columns series, variant, width, network, dataset, replicates and those of the panels; one row a series
            and width.
        published: the paper's points, drawn thin and grey behind; columns series, width, score, value.
        arguments: the panels' columns in order, and `rows=variant` for a row of panels for each variant.
    """
    panels = [PANELS[name] for name in arguments if "=" not in name]
    by_variant = "rows=variant" in arguments and frame["variant"].null_count() == 0
    variants = series_order(frame["variant"]) if by_variant else [None]
    titles = [
        [f"{variant}: {panel.title.lower()}" if variant else panel.title for panel in panels] for variant in variants
    ]
    figure, rows = new_figure(titles)
    for row, variant in zip(rows, variants, strict=True):
        shown, paper = (frame, published) if variant is None else (_of(frame, variant), _of(published, variant))
        for axes, panel in zip(row, panels, strict=True):
            _draw_panel(axes, shown, paper, panel)
    legend_outside(figure)
    describe_sources(figure, frame)
    return figure


def draw_panel(axes: Axes, frame: pl.DataFrame, published: pl.DataFrame, column: str) -> None:
    """Draw one panel into axes of the caller's; rows as `draw` takes them. Raises ConfigError for an unknown column."""
    if column not in PANELS or column not in frame.columns:
        known = [name for name in PANELS if name in frame.columns]
        raise ConfigError(f"no panel {column!r}{did_you_mean(column, known)}")
    _draw_panel(axes, frame, published, PANELS[column])


def _of(frame: pl.DataFrame, variant: str) -> pl.DataFrame:
    """Return a variant's rows, its name taken off their series."""
    own = frame.filter((pl.col("series") == variant) | pl.col("series").str.starts_with(f"{variant}, "))
    return own.with_columns(pl.col("series").str.strip_prefix(f"{variant}, "))


def _draw_panel(axes: Axes, frame: pl.DataFrame, published: pl.DataFrame, panel: Panel) -> None:
    series = series_order(frame["series"])
    published = published.filter(
        pl.col("series").is_in(series) & pl.col("width").is_in(frame["width"].unique().to_list())
    )
    for index, name in enumerate(series):
        look = look_of(name, series)
        draw_published(axes, published, name, panel.column, panel.scale, look["marker"])
        aside = 2 ** (0.04 * (index - (len(series) - 1) / 2))  # so that error bars stand side by side
        line = frame.filter(series=name).with_columns(pl.col("width") * aside)
        draw_line(axes, line, "width", panel.column, panel.error, panel.scale, label=name, **look)
    width_axis(axes, frame["width"].to_list())
    lowest = min(frame[panel.column].drop_nulls().to_list(), default=0.0)
    if panel.logarithmic and lowest > 0:
        papers = published.filter((pl.col("score") == panel.column) & (pl.col("value") > 0))["value"].to_list()
        count_axis(axes, min([lowest, *papers]))
    axes.set_ylabel(panel.label)
