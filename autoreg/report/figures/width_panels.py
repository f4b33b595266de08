"""Panels of a score against width, one line for each series: the form of most of the paper's figures."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from polars import selectors as cs

from autoreg.errors import ConfigError, did_you_mean
from autoreg.report.figures import style
from autoreg.report.figures.notes import describe_sources


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        column: what it shows.
        label: of the y axis.
        title: above it.
        scale: multiplies both.
        logarithmic: whether the y axis is logarithmic where all values are positive.
    """

    column: str
    label: str
    title: str
    scale: float = 1.0
    logarithmic: bool = False

    @property
    def deviation(self) -> str:
        """The column of the half length of its error bars, the standard deviation over replicates."""
        return "similar_units_replicate_std" if self.column == "similar_units" else f"{self.column}_std"

    @property
    def spread(self) -> str | None:
        """The column of the standard deviation over the units of a network, where there is one."""
        return "similar_units_std" if self.column == "similar_units" else None


PANELS = {
    panel.column: panel
    for panel in (
        Panel("test_accuracy", "Test accuracy (%)", "Accuracy", scale=100),
        Panel("train_accuracy", "Training accuracy (%)", "Training accuracy", scale=100),
        Panel("auc", "AUC of unchanged labels", "Removable units"),
        Panel("similar_units", "Similar units per unit", "Repeated units", logarithmic=True),
    )
}


def panels_of(frame: pl.DataFrame, columns: Sequence[str]) -> list[Panel]:
    """Return the panels of some columns; if none is named, of those in `PANELS`. Raises ConfigError if none is."""
    wanted = columns or [name for name in PANELS if name in frame.columns]
    if not wanted:
        raise ConfigError(f"a drawing of panels needs a column's name (allowed: {', '.join(frame.columns)})")
    for column in wanted:
        if column not in frame.columns:
            raise ConfigError(f"no panel {column!r}{did_you_mean(column, frame.select(cs.numeric()).columns)}")
    return [PANELS.get(column) or _own_panel(column) for column in wanted]


def _own_panel(column: str) -> Panel:
    name = column.replace("_", " ").capitalize()
    return Panel(column, name, name)


def draw(
    frame: pl.DataFrame, published: pl.DataFrame, *arguments: str, unmeasured: pl.DataFrame | None = None
) -> Figure:
    """Return a figure of panels side by side; bars: deviation over replicates, pale ones over a network's units.

    Args:
        frame: columns series, variant, width, network, dataset, replicates and those of the panels; one row a series
            and width.
        published: the paper's points, drawn thin and grey behind; columns series, width, score, value.
        arguments: the panels' columns in order, none for all scores that it has, and `rows=variant` for a row of panels
            for each variant.
        unmeasured: trials that are trained but not measured, drawn hollow beside the lines of their accuracies; columns
            series, variant, width and accuracies; one row a trial.

    Raises:
        ConfigError: the frame has no such column.
    """
    panels = panels_of(frame, [name for name in arguments if "=" not in name])
    by_variant = "rows=variant" in arguments and frame["variant"].null_count() == 0
    variants = style.series_order(frame["variant"]) if by_variant else [None]
    hollow = frame.clear() if unmeasured is None else unmeasured
    titles = [
        [f"{variant}: {panel.title.lower()}" if variant else panel.title for panel in panels] for variant in variants
    ]
    figure, rows = style.new_figure(titles)
    for row, variant in zip(rows, variants, strict=True):
        shown = frame if variant is None else _of(frame.filter(variant=variant), variant)
        paper = published if variant is None else _of(published, variant)
        points = hollow if variant is None else _of(hollow, variant)
        for axes, panel in zip(row, panels, strict=True):
            draw_panel(axes, shown, paper, panel.column, points)
    style.legend_outside(figure)
    describe_sources(figure, frame, [panel.column for panel in panels])
    return figure


def draw_panel(
    axes: Axes, frame: pl.DataFrame, published: pl.DataFrame, column: str, unmeasured: pl.DataFrame | None = None
) -> None:
    """Draw one panel into axes of the caller's; rows as `draw` takes them. Raises ConfigError for an unknown column."""
    hollow = frame.clear() if unmeasured is None else unmeasured
    [panel], series = panels_of(frame, [column]), style.series_order([*frame["series"], *hollow["series"]])
    widths = [*frame["width"], *hollow["width"]]
    published = published.filter(pl.col("series").is_in(series) & pl.col("width").is_in(widths))
    for index, name in enumerate(series):
        look = style.look_of(name, series)
        style.draw_published(axes, published, name, column, panel.scale, look["marker"])
        aside = 2 ** (0.04 * (index - (len(series) - 1) / 2))  # so that error bars stand side by side
        line = frame.filter(series=name).with_columns(pl.col("width") * aside)
        if panel.spread:
            style.draw_spread(axes, line, "width", column, panel.spread, panel.scale, look["color"])
        style.draw_line(axes, line, "width", column, panel.deviation, panel.scale, label=name, **look)
        if column in hollow.columns:
            points = hollow.filter(series=name).drop_nulls(column)
            style.draw_hollow(axes, points.with_columns(pl.col("width") * aside), column, panel.scale, look)
    style.width_axis(axes, widths)
    lowest = min(frame[column].drop_nulls().to_list(), default=0.0)
    if panel.logarithmic and lowest > 0:
        papers = published.filter((pl.col("score") == column) & (pl.col("value") > 0))["value"].to_list()
        style.count_axis(axes, min([lowest, *papers]))
    axes.set_ylabel(panel.label)


def _of(frame: pl.DataFrame, variant: str) -> pl.DataFrame:
    """Return a variant's rows, its name taken off their series."""
    own = frame.filter((pl.col("series") == variant) | pl.col("series").str.starts_with(f"{variant}, "))
    return own.with_columns(pl.col("series").str.strip_prefix(f"{variant}, "))
