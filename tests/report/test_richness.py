"""Verdicts on richness: a slope that falls with it is found, by the same numbers as NumPy and SciPy give."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from autoreg.errors import DataError
from autoreg.report.richness import richness_verdicts

WIDTHS, RICHNESSES = (0.25, 0.5, 1.0, 2.0), (0.1, 1.0, 10.0)


def trials(changes: Any, **labels: Any) -> pl.DataFrame:
    """Replicate i's slope of log2(compressed width) is 0.5 at richness 1, and changes by the i-th for each tenfold."""
    fixed = {
        "sweep_id": "s", "sweep": "sweep", "network": "mlp", "dataset": "teacher", "split": "test", "surgery": "drop",
        "tolerance": 0.99,
    }  # fmt: skip
    rows = [
        {
            **fixed, "series": f"γ = {gamma:g}", **labels, "richness": gamma, "replicate": replicate, "width": width,
            "compressed_width": 0.1 * width ** (0.5 + change * np.log10(gamma)),
        }
        for replicate, change in enumerate(changes) for gamma in RICHNESSES for width in WIDTHS
    ]  # fmt: skip
    return pl.DataFrame(rows)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ((-0.3, -0.31, -0.29), "falls"),
        ((-0.01, 0.0, 0.01), "does not fall"),
        ((0.3, 0.31, 0.29), "does not fall"),
        ((-0.4, 0.1, 0.0), "undecided"),
        ((-0.3,), "undecided"),
    ],
)
def test_a_slope_falls_with_richness_or_it_does_not(changes: tuple[float, ...], verdict: str) -> None:
    [row] = richness_verdicts(trials(changes)).to_dicts()
    assert (row["verdict"], row["series"], row["replicates"]) == (verdict, "mlp", len(changes))
    assert row["change"] == pytest.approx(np.mean(changes))
    if len(changes) > 1:
        interval = stats.ttest_1samp(changes, 0).confidence_interval(0.95)
        assert (row["low"], row["high"]) == pytest.approx(tuple(interval), abs=1e-9)
        assert row["change_p"] == pytest.approx(stats.ttest_1samp(changes, 0).pvalue)
        assert row["no_fall_p"] == pytest.approx(stats.ttest_1samp(changes, -0.1, alternative="greater").pvalue)


def test_series_that_differ_in_more_than_richness_are_as_many_claims() -> None:
    frames = [
        trials(changes).with_columns(series=pl.format("{}, {}", pl.lit(name), "series"))
        for name, changes in (("mup", (-0.3, -0.31)), ("standard", (0.2, 0.21)))
    ]
    found = richness_verdicts(pl.concat(frames))
    assert found.select("series", "held").rows() == [("mup", "4 of 4"), ("standard", "4 of 4")]
    with pytest.raises(DataError, match="one trial for each replicate and width, got two for"):
        richness_verdicts(pl.concat([*frames, frames[0].head(1)]))


def test_a_series_keeps_what_else_names_it() -> None:
    named = trials((-0.3, -0.31)).with_columns(series=pl.format("{}, k = 2", "series"))
    assert richness_verdicts(named)["series"].to_list() == ["k = 2"]


def test_two_richnesses_are_no_trend() -> None:
    [row] = richness_verdicts(trials((-0.3, -0.31)).filter(pl.col("richness") < 10)).to_dicts()
    assert (row["verdict"], row["change"], row["replicates"]) == ("undecided", None, 0)
