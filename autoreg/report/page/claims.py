"""Verdicts in words: what grows with width in each series, and the place of each estimate on its scale."""

from typing import Any

import polars as pl

from autoreg.database.connection import query
from autoreg.database.schema import Connection
from autoreg.report.findings.wording import number
from autoreg.report.table import THRESHOLD

#: The ends of the scale on which an estimate is drawn, no change, the smallest change that matters, and its words.
AUC_SCALE = {
    "first": -0.04, "last": 0.08, "zero": 0.0, "bound": 0.01, "form": "+.3f",
    "words": "the AUC changes by {} for each doubling",
}  # fmt: skip
SIMILARITY_SCALE = {
    "first": 0.6, "last": 2.6, "zero": 1.0, "bound": 1.05, "form": ".2f",
    "words": "groups of similar units grow {}-fold with each doubling",
}  # fmt: skip
#: A scale's length in the page, in pixels.
LENGTH = 200


def read_claims(connection: Connection, sweep_id: str) -> list[dict[str, Any]]:
    """Return one row for each definition, split and series: its verdict at |r| ≥ 0.5, and both estimates in words."""
    from autoreg.report.verdicts import verdicts  # scipy takes half a second to import

    trends = query(connection, "from width_trends where sweep_id = $id", id=sweep_id)
    if trends.is_empty():
        return []
    judged = verdicts(trends)
    main = judged.filter(threshold=THRESHOLD)
    return [
        {
            **row,
            "same": _same(judged, row),
            "removable": _claim(row, "removability", "auc_slope", "auc", AUC_SCALE),
            "repeated": _claim(row, "repetition", "similarity_factor", "similarity", SIMILARITY_SCALE),
        }
        for row in main.iter_rows(named=True)
    ]


def _same(judged: pl.DataFrame, row: dict[str, Any]) -> str:
    """Return the thresholds at which the verdict is the same: `0.3 to 0.9`, or each of them."""
    alike = judged.filter(**{key: row[key] for key in ("definition", "split", "series")}).sort("threshold")
    same, every = alike.filter(verdict=row["verdict"])["threshold"].to_list(), alike["threshold"].to_list()
    run = every[every.index(same[0]) : every.index(same[-1]) + 1]
    return f"{same[0]:g} to {same[-1]:g}" if same == run and len(run) > 1 else ", ".join(f"{each:g}" for each in same)


def _claim(row: dict[str, Any], kind: str, column: str, name: str, scale: dict[str, Any]) -> dict[str, Any]:
    value, low, high = row[column], row[f"{name}_low"], row[f"{name}_high"]
    if value is None:
        return {"state": row[kind], "text": "too few widths for a trend", "at": None}
    form, ends = scale["form"], ""
    if low is not None:
        ends = f" (95 % interval {number(low, form)} to {number(high, form)})"
    places = {"at": value, "low": low, "high": high, "zero": scale["zero"], "bound": scale["bound"]}
    return {
        "state": row[kind],
        "text": scale["words"].format(number(value, form)) + ends,
        **{key: None if end is None else _place(end, scale) for key, end in places.items()},
    }


def _place(value: float, scale: dict[str, Any]) -> float:
    share = (value - scale["first"]) / (scale["last"] - scale["first"])
    return float(round(LENGTH * min(1.0, max(0.0, share)), 1))
