"""Rows in few bytes: columns instead of objects, texts that recur once, numbers with the digits that are shown."""

from typing import Any

import polars as pl

#: Digits of a number that a chart or a table shows.
DIGITS = 5


def columns(frame: pl.DataFrame) -> dict[str, Any]:
    """Return a frame's columns for the page's script.

    A column is a list, or of texts `{"of": [each text once], "at": [its place for each row, or null]}`. What is not
    finite is null.
    """
    return {column.name: _values(column) for column in frame}


def _values(column: pl.Series) -> Any:
    if column.dtype == pl.String:
        texts = column.drop_nulls().unique(maintain_order=True).to_list()
        place = {text: index for index, text in enumerate(texts)}
        return {"of": texts, "at": [None if text is None else place[text] for text in column]}
    if column.dtype.is_float():
        finite = column.to_frame().select(pl.when(pl.nth(0).is_finite()).then(pl.nth(0)))
        values = finite.to_series().round_sig_figs(DIGITS).to_list()
        return [int(value) if value is not None and value.is_integer() else value for value in values]
    return column.to_list()
