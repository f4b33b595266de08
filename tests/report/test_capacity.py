"""Verdicts on compressed width: known slopes are recovered, and each is named by what it is surely above and below."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from autoreg.errors import DataError
from autoreg.report.capacity import capacity_verdicts
from autoreg.report.judge import holm

WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)


def trials(slopes: Any, *, widths: tuple[float, ...] = WIDTHS, **labels: Any) -> pl.DataFrame:
    """One series; replicate i's log2 of compressed width has the i-th slope over doublings."""
    fixed = {
        "sweep_id": "s", "sweep": "sweep", "network": "mlp", "dataset": "teacher", "split": "test", "series": "He Norm",
        "surgery": "drop", "tolerance": 0.99,
    }  # fmt: skip
    rows = [
        {**fixed, **labels, "replicate": replicate, "width": width, "compressed_width": 0.1 * width**slope}
        for replicate, slope in enumerate(slopes)
        for width in widths
    ]
    return pl.DataFrame(rows)


@pytest.mark.parametrize(
    ("slopes", "verdict"),
    [
        ((0.0, 0.01, -0.01), "does not grow"),
        ((-0.3, -0.31, -0.29), "does not grow"),
        ((0.5, 0.51, 0.49), "less than in proportion"),
        ((1.0, 0.99, 1.01), "in proportion"),
        ((1.3, 1.29, 1.31), "in proportion"),
        ((0.8, 0.9, 1.0), "grows"),
        ((0.0, 0.5, 1.0), "undecided"),
        ((0.5,), "undecided"),
    ],
)
def test_a_slope_has_its_verdict(slopes: tuple[float, ...], verdict: str) -> None:
    [row] = capacity_verdicts(trials(slopes)).to_dicts()
    assert row["verdict"] == verdict
    assert row["slope"] == pytest.approx(np.mean(slopes))
    assert (row["replicates"], row["widths"]) == (len(slopes), 5)
    if len(slopes) > 1:
        interval = stats.ttest_1samp(slopes, 0).confidence_interval(0.95)
        assert (row["low"], row["high"]) == pytest.approx(tuple(interval), abs=1e-9)
    else:
        assert row["low"] is row["growth_p"] is None


def test_p_values_are_those_of_t_tests_corrected_over_all_claims_of_a_report() -> None:
    given = {"drop": (0.7, 0.9, 0.8), "merge": (0.2, 0.35, 0.3), "rebuild": (0.0, 0.2, 0.05)}
    frame = pl.concat([trials(slopes, surgery=surgery) for surgery, slopes in given.items()])
    found = capacity_verdicts(frame).sort("surgery")
    tests = {
        "growth_p": (0, "two-sided"),
        "none_p": (0.1, "less"),
        "less_p": (1, "less"),
        "proportion_p": (0.9, "greater"),
    }
    for column, (mean, side) in tests.items():
        expected = holm([stats.ttest_1samp(slopes, mean, alternative=side).pvalue for slopes in given.values()])
        assert found[column].to_list() == pytest.approx(expected.tolist(), rel=1e-6)
    other = pl.concat([frame, trials((0.0, 0.0, 0.0), tolerance=0.8), trials((0.5, 0.6, 0.7), sweep_id="t")])
    same = capacity_verdicts(other).filter(sweep_id="s", tolerance=0.99)
    assert same.equals(found.sort("series", "surgery"))


def test_fewer_than_three_widths_are_no_trend() -> None:
    [row] = capacity_verdicts(trials((0.5, 0.51, 0.49), widths=(0.25, 4.0))).to_dicts()
    assert (row["verdict"], row["slope"], row["replicates"], row["widths"]) == ("undecided", None, 0, 2)


def test_two_trials_for_one_width_are_refused() -> None:
    frame = trials((0.5, 0.6))
    with pytest.raises(DataError, match="one trial for each replicate and width, got two for"):
        capacity_verdicts(pl.concat([frame, frame.head(1)]))


def test_a_slope_that_hangs_on_one_width_says_so() -> None:
    steady = trials((0.5, 0.52))
    hanging = steady.with_columns(compressed_width=pl.when(pl.col("width") < 4).then(0.1).otherwise(0.4))
    short = steady.filter(pl.col("width") < 2)
    rows = {"steady": steady, "hanging": hanging, "short": short}
    named = pl.concat([frame.with_columns(series=pl.lit(name)) for name, frame in rows.items()])
    found = {row["series"]: row["held"] for row in capacity_verdicts(named).to_dicts()}
    # by hand: the slope of log2 (1, 1, 1, 1, 4) is 0.4, and without 4x it is 0
    assert found == {"steady": "5 of 5", "hanging": "4 of 5", "short": None}


def test_a_slope_on_the_other_side_of_1_without_one_width_is_told() -> None:
    logs = np.array([0.0, 1, 2, 3, 4.4])
    lines = [np.polyfit(np.delete(np.log2(WIDTHS), out), np.delete(logs, out), 1)[0] for out in range(5)]
    assert np.polyfit(np.log2(WIDTHS), logs, 1)[0] > 1
    kept = sum(line > 1 + 1e-9 for line in lines)
    frame = trials((0.0, 0.0)).with_columns(
        compressed_width=pl.col("width").replace_strict(dict(zip(WIDTHS, 2.0 ** (logs * 1.0), strict=True)))
    )
    [row] = capacity_verdicts(frame).to_dicts()
    assert (row["held"], kept) == (f"{kept} of 5", 4)
