"""Figures other than those of scores against width: as charts where their drawing is one of ours, else as pictures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from autoreg.report.figure import FigureRows, picture
from autoreg.report.figures.figure_width import PARTS
from autoreg.report.figures.source import FigureSource
from autoreg.report.figures.style import series_order, width_label
from autoreg.report.figures.surgeries import SURGERIES
from autoreg.report.figures.width_panels import PANELS, Panel, panels_of
from autoreg.report.page.compact import columns
from autoreg.report.page.inline import data_uri


def drawn(rows: FigureRows) -> dict[str, Any]:
    """Return a figure for the page: `panels`, each a chart's rows and axes, or a `picture` of the user's own drawing.

    Raises:
        ConfigError: a drawing of the user's own fails.
    """
    checked, named = None if rows.source.is_packaged else rows.draw(), rows.source.packaged_drawing()
    head = rows.source.sql().partition("\n")[0].removeprefix("--").strip().rstrip(".")
    figure = {
        "name": rows.source.name,
        "title": head or rows.source.name,
        "label": head.partition(":")[0] if rows.source.is_packaged else rows.source.name,
        "remarks": [remark for remark in rows.remarks if not remark.startswith("incomplete")],
        "csv": data_uri("text/csv", rows.as_csv().encode()),
        "file": f"{rows.source.path.stem}.csv",
    }
    if named and named[0] in _PANELS:
        return {**figure, "panels": list(_PANELS[named[0]](rows, named[1]))}
    return {**figure, "picture": data_uri("image/svg+xml", picture(checked or rows.draw(), "svg", transparent=True))}


def shows_scores(source: FigureSource) -> bool:
    """Whether a figure shows nothing but scores of trials or layers against width, which have parts of their own."""
    known = {"test_accuracy", "train_accuracy", "auc", "similar_units", "rows=variant"}
    named = source.packaged_drawing()
    if not source.is_packaged or named is None:
        return False
    return named[0] == "layer_panels" or (named[0] == "width_panels" and set(named[1]) <= known)


@dataclass(frozen=True)
class _Kind:
    """How a figure's rows become a chart: y against x, one line for each value of a column.

    Attributes:
        x: the column along x.
        x_title: and `x_kind`: its axis; `width`, `linear` or `reverse`.
        line: the column whose values have a line each: `width`, `series`, `surgery` or the like.
        mark: `line` or `bar`.
    """

    x: str = "width"
    x_title: str = "width factor"
    x_kind: str = "width"
    line: str = "series"
    mark: str = "line"

    def panel(
        self, title: str, part: pl.DataFrame, whole: pl.DataFrame, panel: Panel, error: str | None = None,
        paper: pl.DataFrame | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Return the chart of a part of a figure's rows; a line looks the same in all charts of the whole."""
        names = _names(whole, self.line)
        line = pl.col(self.line).replace_strict(names, range(len(names)), return_dtype=pl.Int64)
        value, shown = pl.col(panel.column) * panel.scale, part.drop_nulls(panel.column)
        deviation = pl.col(error) * panel.scale if error in part.columns else None
        ends = {} if deviation is None else {"low": value - deviation, "high": value + deviation}
        points = shown.select(x=pl.col(self.x).cast(pl.Float64), y=value, line=line, **ends)
        published = pl.DataFrame(schema={"x": pl.Float64, "y": pl.Float64, "line": pl.Int64})
        if paper is not None:
            known = paper.filter(pl.col(self.line).is_in(names), score=panel.column)
            published = known.select(x=pl.col("x").cast(pl.Float64), y=pl.col("value") * panel.scale, line=line)
        return {
            "title": title, "x": {"title": self.x_title, "kind": self.x_kind}, "mark": self.mark,
            "y": {"title": panel.label, "log": panel.logarithmic}, "kind": self.line,
            "names": [width_label(name) for name in names] if self.line == "width" else names,
            "bars": "error bars: ± one standard deviation over replicates" if ends else "",
            "rows": columns(points), "paper": columns(published.sort("line", "x")),
        }  # fmt: skip


def _names(frame: pl.DataFrame, column: str) -> list[Any]:
    values = frame[column].unique()
    if column == "width":
        return values.sort().to_list()
    known = (*SURGERIES[1:], SURGERIES[0], *(label for _, label, _ in PARTS))  # a surgery looks the same in all figures
    return [name for name in known if name in values] if set(values) <= set(known) else series_order(values)


def _each(frame: pl.DataFrame, column: str) -> Iterator[tuple[str, pl.DataFrame]]:
    return ((name, frame.filter(pl.col(column) == name)) for name in series_order(frame[column]))


def _width_panels(rows: FigureRows, arguments: list[str]) -> Iterator[dict[str, Any]]:
    for panel in panels_of(rows.frame, [name for name in arguments if "=" not in name]):
        yield _Kind().panel(panel.title, rows.frame, rows.frame, panel, panel.deviation, rows.published)


def _ablation(rows: FigureRows, _: list[str]) -> Iterator[dict[str, Any]]:
    kind = _Kind("fraction", "share of units dropped", "linear", "width")
    panel = Panel("unchanged", "labels unchanged (%)", "", 100)
    for name, part in _each(rows.frame, "series"):
        yield kind.panel(name, part, rows.frame, panel, paper=rows.published.filter(series=name))


def _correlations(rows: FigureRows, _: list[str]) -> Iterator[dict[str, Any]]:
    kind = _Kind("bin_low", "|r| of a pair of units", "linear", "width")
    panel = Panel("share", "% of all pairs", "", 100)
    for name, part in _each(rows.frame, "series"):
        yield kind.panel(f"{name}, {part['layer'][0]}", part.sort("width", "bin_low"), rows.frame, panel)


def _parameters(rows: FigureRows, _: list[str]) -> Iterator[dict[str, Any]]:
    panel = Panel("parameters", "trainable parameters", "", logarithmic=True)
    for name, part in _each(rows.frame, "panel"):
        ours = rows.published.filter(pl.col("series").is_in(part["series"].unique().to_list()))
        yield _Kind().panel(name, part, rows.frame, panel, paper=ours)


def _last_epochs(rows: FigureRows, _: list[str]) -> Iterator[dict[str, Any]]:
    kind = _Kind("epochs_before_end", "epochs before the end", "reverse", "width")
    for name, part in _each(rows.frame, "series"):
        for panel in (PANELS[column] for column in ("test_accuracy", "auc", "similar_units")):
            paper = rows.published.filter(series=name)
            yield kind.panel(f"{name}: {panel.title.lower()}", part, rows.frame, panel, panel.deviation, paper)


def _surgery_curves(rows: FigureRows, _: list[str]) -> Iterator[dict[str, Any]]:
    kind = _Kind("taken", "share of units taken out", "linear", "surgery")
    panel = Panel("unchanged", "labels unchanged (%)", "", 100)
    for name, part in _each(rows.frame, "series"):
        for width in sorted({min(part["width"].to_list()), max(part["width"].to_list())}):
            shown = part.filter(width=width).sort("surgery", "taken")
            yield kind.panel(f"{name} at {width_label(width)}", shown, rows.frame, panel)


def _compressed_widths(rows: FigureRows, _: list[str]) -> Iterator[dict[str, Any]]:
    panel = Panel("compressed_width", "compressed width factor", "", logarithmic=True)
    for name, part in _each(rows.frame, "series"):
        yield _Kind(line="surgery").panel(name, part, rows.frame, panel, "compressed_width_std")
    parts = {column: label for column, label, _ in PARTS}
    units = rows.frame.unique(["series", "width"]).drop_nulls("needed").rename(parts)
    long = units.unpivot(list(parts.values()), index=["series", "width"], variable_name="units", value_name="share")
    for name, part in _each(long, "series"):
        kind, share = _Kind(line="units", mark="bar"), Panel("share", "% of the units", "", 100)
        yield kind.panel(f"{name}: what its units are", part.sort("width"), long, share)


_PANELS: dict[str, Callable[[FigureRows, list[str]], Iterator[dict[str, Any]]]] = {
    "width_panels": _width_panels,
    "figure_2": _ablation,
    "figure_3": _correlations,
    "figure_b1": _parameters,
    "figure_b2": _last_epochs,
    "figure_curve": _surgery_curves,
    "figure_width": _compressed_widths,
}
