"""Tables: a frame as Markdown, CSV and LaTeX."""

import json
import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import polars as pl

from autoreg.config.factors import format_width


def as_markdown(frame: pl.DataFrame) -> str:
    """Return a table for people: rounded numbers, accuracies in percent with their deviation, numbers at the right."""
    cells = [[re.sub(r"\s+", " ", cell).replace("|", r"\|") for cell in row] for row in shown_cells(frame)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numeric = numeric_columns(frame)
    rules = ["-" * (width - 1) + ":" if right else "-" * width for width, right in zip(widths, numeric, strict=True)]
    sides = [f"{'>' if right else '<'}{width}" for width, right in zip(widths, numeric, strict=True)]
    lines = (map(format, row, sides) for row in (cells[0], rules, *cells[1:]))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def as_latex(frame: pl.DataFrame) -> str:
    r"""Return a booktabs table, to be put into a document with `\usepackage{booktabs}`."""
    head, *body = [" & ".join(cell.translate(_LATEX) for cell in row) + r" \\" for row in shown_cells(frame)]
    columns = "".join("r" if right else "l" for right in numeric_columns(frame))
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", head, r"\midrule", *body]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def as_json(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as JSON has them: a number for a sum, which is a decimal, null for NaN and ±inf, else texts."""
    floats = [pl.col(name) for name, kind in frame.schema.items() if kind.is_float()]
    finite = frame.with_columns(pl.when(each.is_finite()).then(each) for each in floats)
    rows: list[dict[str, Any]] = json.loads(json.dumps(finite.to_dicts(), default=_plain))
    return rows


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


#: What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = r"^[=+\-@\t\r]"

#: By file ending.
FORMATS: dict[str, Callable[[pl.DataFrame], str]] = {
    "md": as_markdown,
    "csv": lambda frame: as_csv(frame),
    "tex": as_latex,
}


def _columns(frame: pl.DataFrame) -> list[str]:
    """Return the columns that are shown; `x_std` is shown with `x`."""
    return [
        name for name in frame.columns if name.removesuffix("_std") not in frame.columns or not name.endswith("_std")
    ]


def numeric_columns(frame: pl.DataFrame) -> list[bool]:
    """Return for each column that is shown whether it has numbers."""
    return [frame.schema[name].is_numeric() for name in _columns(frame)]


def shown_cells(frame: pl.DataFrame) -> list[list[str]]:
    """Return a table's head and rows for people: rounded numbers, accuracies in percent with their deviation."""
    names = _columns(frame)
    rows = [[name.replace("_", " ") + (" (%)" if "accuracy" in name else "") for name in names]]
    for row in frame.iter_rows(named=True):
        parts = ((_shown(name, row[name]), _shown(name, row.get(f"{name}_std"))) for name in names)
        rows.append([f"{shown} ± {deviation}" if shown and deviation else shown for shown, deviation in parts])
    return rows


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "width":
        return f"{format_width(value)}x"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    if "accuracy" in name:
        return f"{value * 100:.1f}"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.4g}"


#: Characters that mean something to LaTeX, and signs that not every engine has.
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        **{sign: rf"\{sign}" for sign in "&%$#_{}"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "|": r"\textbar{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "σ": r"$\sigma$",
        "±": r"$\pm$",
        "×": r"$\times$",
    }
)


def as_csv(frame: pl.DataFrame, raw: bool = False) -> str:
    """Return a frame as CSV; lists, structures and bytes are JSON, since CSV has none of them.

    Args:
        frame: any rows.
        raw: leave texts as they are. Otherwise one that a spreadsheet would run as a formula has a `'` before it.
    """
    texts = [
        pl.Series(
            column.name, [None if value is None else json.dumps(value, default=str) for value in column.to_list()]
        )
        for column in frame
        if column.dtype.is_nested() or column.dtype == pl.Binary
    ]
    frame = frame.with_columns(texts)
    return frame.write_csv() if raw else frame.with_columns(pl.col(pl.String).str.replace(_FORMULA, "'$0")).write_csv()
