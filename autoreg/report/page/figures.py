"""Figures other than those of scores against width: as charts where their drawing is one of ours, else as pictures."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import polars as pl

from autoreg.report.figure import FigureRows, picture
from autoreg.report.figures.figure_width import PARTS
from autoreg.report.figures.source import FigureSource
from autoreg.report.figures.style import series_order, width_label
from autoreg.report.figures.width_panels import PANELS, panels_of
from autoreg.report.page.compact import columns
from autoreg.report.page.inline import data_uri

WIDTH = {"title": "width factor", "kind": "width"}


def drawn(rows: FigureRows) -> dict[str, Any]:
    """Return a figure for the page: `panels`, each a chart's rows and axes, or a `picture` of the user's own drawing.

    Raises:
        ConfigError: a drawing of the user's own fails.
    """
    checked, named = None if rows.source.is_packaged else rows.draw(), rows.source.drawing()
    head = rows.source.sql().partition("\n")[0].removeprefix("--").strip().rstrip(".")
    figure = {
        "name": rows.source.name,
        "title": head or rows.source.name,
        "label": head.partition(":")[0] if rows.source.is_packaged else rows.source.name,
        "remarks": rows.remarks,
        "csv": data_uri("text/csv", rows.as_csv().encode()),
        "file": f"{rows.source.path.stem}.csv",
    }
    if named and named[0] in _PANELS:
        return {**figure, "panels": list(_PANELS[named[0]](rows, named[1]))}
    return {**figure, "picture": data_uri("image/svg+xml", picture(checked or rows.draw(), "svg", transparent=True))}


def shows_scores(source: FigureSource) -> bool:
    """Whether a figure shows nothing but scores of trials or layers against width, which have parts of their own."""
    named, known = source.drawing(), {"test_accuracy", "train_accuracy", "auc", "similar_units", "rows=variant"}
    if not source.is_packaged or named is None:
        return False
    return named[0] == "layer_panels" or (named[0] == "width_panels" and set(named[1]) <= known)


def _panel(
    title: str, frame: pl.DataFrame, x: tuple[str, dict[str, str]], y: tuple[str, str], line: str, scale: float = 1.0,
    kind: str = "series", mark: str = "line", log: bool = False, error: str | None = None,
    names: Sequence[Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return a chart: one line for each value of a column, y against x, with a deviation if there is a column of it."""
    value, shown = pl.col(y[0]) * scale, frame.drop_nulls(y[0])
    deviation = pl.col(error) * scale if error in frame.columns else None
    ends = {} if deviation is None else {"low": value - deviation, "high": value + deviation}
    if names is None:
        names = shown[line].unique().sort().to_list() if kind == "width" else series_order(shown[line])
    name = pl.col(line).replace_strict(names, range(len(names)), return_dtype=pl.Int64)
    return {
        "title": title, "x": x[1], "y": {"title": y[1], "log": log}, "kind": kind, "mark": mark,
        "names": [width_label(float(each)) for each in names] if kind == "width" else list(names),
        "bars": "error bars: ± one standard deviation over replicates" if ends else "",
        "rows": columns(shown.select(x=pl.col(x[0]), y=value, line=name, **ends)),
    }  # fmt: skip


def _each(frame: pl.DataFrame, column: str) -> Iterator[tuple[str, pl.DataFrame]]:
    return ((name, frame.filter(pl.col(column) == name)) for name in series_order(frame[column]))


def _width_panels(rows: FigureRows, arguments: list[str]) -> Iterator[dict[str, Any]]:
    for panel in panels_of(rows.frame, [name for name in arguments if "=" not in name]):
        error = "similar_units_replicate_std" if panel.column == "similar_units" else f"{panel.column}_std"
        yield _panel(panel.title, rows.frame, ("width", WIDTH), (panel.column, panel.label), "series", panel.scale,
                     log=panel.logarithmic, error=error)  # fmt: skip


def _ablation(rows: FigureRows, _: list[str]) -> Iterator[dict[str, Any]]:
    x = ("fraction", {"title": "share of units dropped", "kind": "linear"})
    for name, part in _each(rows.frame, "series"):
        yield _panel(name, part, x, ("unchanged", "labels unchanged (%)"), "width", 100, "width")


def _correlations(rows: FigureRows, _: list[str]) -> Iterator[dict[str, Any]]:
    x = ("bin_low", {"title": "|r| of a pair of units", "kind": "linear"})
    for name, part in _each(rows.frame, "series"):
        yield _panel(f"{name}, {part['layer'][0]}", part.sort("width", "bin_low"), x, ("share", "% of all pairs"),
                     "width", 100, "width")  # fmt: skip


def _parameters(rows: FigureRows, _: list[str]) -> Iterator[dict[str, Any]]:
    for name, part in _each(rows.frame, "panel"):
        yield _panel(name, part, ("width", WIDTH), ("parameters", "trainable parameters"), "series", log=True)


def _last_epochs(rows: FigureRows, _: list[str]) -> Iterator[dict[str, Any]]:
    x = ("epochs_before_end", {"title": "epochs before the end", "kind": "reverse"})
    for name, part in _each(rows.frame, "series"):
        for panel in (PANELS[column] for column in ("test_accuracy", "auc", "similar_units")):
            error = "similar_units_replicate_std" if panel.column == "similar_units" else f"{panel.column}_std"
            yield _panel(f"{name}: {panel.title.lower()}", part, x, (panel.column, panel.label), "width", panel.scale,
                         "width", log=panel.logarithmic, error=error)  # fmt: skip


def _surgery_curves(rows: FigureRows, _: list[str]) -> Iterator[dict[str, Any]]:
    x = ("taken", {"title": "share of units taken out", "kind": "linear"})
    for name, part in _each(rows.frame, "series"):
        for width in sorted({min(part["width"].to_list()), max(part["width"].to_list())}):
            yield _panel(f"{name} at {width_label(width)}", part.filter(width=width).sort("surgery", "taken"), x,
                         ("unchanged", "labels unchanged (%)"), "surgery", 100)  # fmt: skip


def _compressed_widths(rows: FigureRows, _: list[str]) -> Iterator[dict[str, Any]]:
    for name, part in _each(rows.frame, "series"):
        yield _panel(name, part, ("width", WIDTH), ("compressed_width", "compressed width factor"), "surgery", log=True,
                     error="compressed_width_std")  # fmt: skip
    parts = {column: label for column, label, _ in PARTS}
    for name, part in _each(rows.frame, "series"):
        units = part.unique("width").drop_nulls("needed").rename(parts)
        if units.height:
            long = units.unpivot(list(parts.values()), index="width", variable_name="units", value_name="share")
            yield _panel(f"{name}: what its units are", long.sort("width", "units"), ("width", WIDTH),
                         ("share", "% of the units"), "units", 100, mark="bar",
                         names=list(parts.values()))  # fmt: skip


_PANELS: dict[str, Callable[[FigureRows, list[str]], Iterator[dict[str, Any]]]] = {
    "width_panels": _width_panels,
    "figure_2": _ablation,
    "figure_3": _correlations,
    "figure_b1": _parameters,
    "figure_b2": _last_epochs,
    "figure_curve": _surgery_curves,
    "figure_width": _compressed_widths,
}
