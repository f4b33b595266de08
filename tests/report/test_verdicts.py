"""Verdicts: known growth is found, noise is not called growth, and what is not known yet is said to be so."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from autoreg.errors import ConfigError, DataError
from autoreg.report.judge import ALPHA, MOST_REPLICATES, POWER, holm, replicates_needed
from autoreg.report.verdicts import verdicts

WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)


def trials(auc_slopes: Any, group_slopes: Any, *, widths: tuple[float, ...] = WIDTHS, **labels: Any) -> pl.DataFrame:
    """One series; replicate i's AUC has the i-th slope over doublings, and the log2 of its group size likewise."""
    fixed = {
        "sweep_id": "s", "sweep": "sweep", "figures": ["6"], "network": "mlp", "dataset": "teacher",
        "definition": "text", "threshold": 0.5, "split": "test", "series": "He Norm", "vectors": "drawn",
    }  # fmt: skip
    rows = [
        {
            **fixed, **labels, "replicate": replicate, "width": width,
            "auc": 0.5 + auc * np.log2(width), "similar_units": 2.0 ** (6 + group * np.log2(width)) - 1,
        }
        for replicate, (auc, group) in enumerate(zip(auc_slopes, group_slopes, strict=True)) for width in widths
    ]  # fmt: skip
    return pl.DataFrame(rows)


GROWS, FLAT, SHRINKS, NOISY = (0.05, 0.051, 0.049), (0.0, 1e-4, -1e-4), (-0.05, -0.051, -0.049), (0.2, -0.1, 0.0)


def verdict_of(frame: pl.DataFrame, **bounds: float) -> dict[str, Any]:
    [row] = verdicts(frame, **bounds).to_dicts()
    return row


def test_known_slopes_are_recovered() -> None:
    slopes, groups = np.array([0.03, 0.05, 0.07]), np.array([0.9, 1.0, 1.1])
    row = verdict_of(trials(slopes, groups))
    assert row["auc_slope"] == pytest.approx(0.05)
    assert row["similarity_factor"] == pytest.approx(2.0)
    # by hand: the deviation is 0.02, t at 2 degrees of freedom is 4.303
    assert row["auc_high"] - row["auc_slope"] == pytest.approx(4.303 * 0.02 / 3**0.5, rel=1e-3)
    assert row["auc_low"] + row["auc_high"] == pytest.approx(2 * row["auc_slope"])
    assert row["similarity_low"] == pytest.approx(2 ** (1 - 4.303 * 0.1 / 3**0.5), rel=1e-3)
    assert row["similarity_high"] == pytest.approx(2 ** (1 + 4.303 * 0.1 / 3**0.5), rel=1e-3)
    assert (row["replicates"], row["widths"]) == (3, 5)


def test_what_similar_units_are_counted_over_is_named_and_never_mixed() -> None:
    drawn, exact = trials(GROWS, FLAT), trials(GROWS, GROWS, series="LeCun", vectors="all")
    found = verdicts(pl.concat([drawn, exact]))
    assert found.select("series", "vectors").rows() == [("He Norm", "drawn"), ("LeCun", "all")]
    both = drawn.with_columns(vectors=pl.when(pl.col("replicate") == 1).then(pl.lit("all")).otherwise("vectors"))
    with pytest.raises(DataError, match="over drawn vectors or over all, got both for"):
        verdicts(both)


def test_a_slope_is_that_of_the_least_squares_line() -> None:
    generator = np.random.default_rng(0)
    frame = trials(GROWS, FLAT).with_columns(auc=pl.Series(generator.random(15)))
    lines = [np.polyfit(np.log2(WIDTHS), part["auc"], 1)[0] for part in frame.partition_by("replicate")]
    row = verdict_of(frame)
    assert row["auc_slope"] == pytest.approx(np.mean(lines))
    expected = stats.ttest_1samp(lines, 0).confidence_interval(0.95)
    assert (row["auc_low"], row["auc_high"]) == pytest.approx(tuple(expected))


def test_p_values_are_those_of_scipys_t_tests_times_holms_step() -> None:
    groups = (0.3, 0.1, 0.25)
    row = verdict_of(trials(GROWS, groups))
    first, second = stats.ttest_1samp(GROWS, 0).pvalue, stats.ttest_1samp(groups, 0).pvalue
    assert (row["auc_p"], row["similarity_p"]) == pytest.approx((2 * first, second))
    below = stats.ttest_1samp(GROWS, 0.01, alternative="less").pvalue
    assert row["auc_no_growth_p"] == pytest.approx(min(1, 2 * below))


@pytest.mark.parametrize(
    ("auc", "groups", "verdict"),
    [
        (GROWS, FLAT, "removable"),
        (GROWS, SHRINKS, "removable"),
        (FLAT, GROWS, "repeated"),
        (SHRINKS, GROWS, "repeated"),
        (GROWS, GROWS, "both"),
        (FLAT, FLAT, "neither"),
        (SHRINKS, FLAT, "neither"),
        (GROWS, NOISY, "undecided"),
        (NOISY, FLAT, "undecided"),
        (NOISY, NOISY, "undecided"),
    ],
)
def test_the_verdict_follows_from_both_measures(auc: Any, groups: Any, verdict: str) -> None:
    states = {GROWS: "grows", FLAT: "does not grow", SHRINKS: "shrinks", NOISY: "undecided"}
    row = verdict_of(trials(auc, groups), similarity_bound=1.01)
    assert (row["removability"], row["repetition"], row["verdict"]) == (states[auc], states[groups], verdict)
    assert (row["replicates_needed"] is None) == (verdict != "undecided")


def test_growth_that_is_too_small_to_matter_is_none() -> None:
    small = trials((0.004, 0.0041, 0.0042), FLAT)
    row = verdict_of(small)
    assert row["auc_low"] > 0
    assert row["auc_p"] < ALPHA
    assert row["removability"] == "does not grow"
    assert verdict_of(small, auc_bound=0.001)["removability"] == "grows"


def test_a_slope_that_is_not_known_well_is_undecided_rather_than_no_growth() -> None:
    row = verdict_of(trials((-0.02, 0.0, 0.02), FLAT))
    assert row["auc_slope"] == pytest.approx(0)
    assert row["removability"] == "undecided"
    assert verdict_of(trials((-0.02, 0.0, 0.02), FLAT), auc_bound=0.2)["removability"] == "does not grow"


def test_equal_replicates_are_decided_without_a_spread() -> None:
    assert verdict_of(trials((0.05, 0.05), (0.0, 0.0)))["verdict"] == "removable"
    constant = trials(FLAT, FLAT).with_columns(auc=pl.lit(0.1), similar_units=pl.lit(0.7))
    row = verdict_of(constant)
    assert row["verdict"] == "neither"
    assert row["auc_p"] == pytest.approx(1)


def test_holm_equals_a_hand_worked_example() -> None:
    # 4 × 0.005; 3 × 0.01; 2 × 0.03; 0.04 is raised to the step before it
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


def test_more_claims_in_a_report_raise_the_p_values() -> None:
    alone = trials(GROWS, FLAT)
    others = [trials(NOISY, NOISY, series=name) for name in ("Glorot Norm", "LeCun Norm")]
    together = verdicts(pl.concat([alone, *others])).filter(series="He Norm")
    assert together["auc_p"][0] == pytest.approx(3 * verdict_of(alone)["auc_p"])  # 6 claims for 2
    elsewhere = [frame.with_columns(definition=pl.lit("released")) for frame in others]
    apart = verdicts(pl.concat([alone, *elsewhere])).filter(series="He Norm")
    assert apart["auc_p"][0] == pytest.approx(verdict_of(alone)["auc_p"])


def noise(slope_mean: tuple[float, float], families: int, series: int, replicates: int) -> pl.DataFrame:
    """Reports (told apart by their threshold) of series whose slopes scatter around known means."""
    generator = np.random.default_rng(20260101)
    keys = [(family, name) for family in range(families) for name in range(series)]
    slopes = generator.normal(size=(len(keys), replicates, 2)) * (0.01, 0.1) + slope_mean
    frame = pl.DataFrame(
        {
            "threshold": [float(family) for family, _ in keys], "series": [str(name) for _, name in keys],
            "slopes": [[{"replicate": i, "a": a, "g": g} for i, (a, g) in enumerate(own)] for own in slopes.tolist()],
        }
    ).explode("slopes").unnest("slopes").join(pl.DataFrame({"width": WIDTHS}), how="cross")  # fmt: skip
    doublings = pl.col("width").log(2)
    return frame.select(
        "threshold", "series", "replicate", "width",
        auc=0.5 + pl.col("a") * doublings, similar_units=2.0 ** (9 + pl.col("g") * doublings) - 1,
        sweep_id=pl.lit("s"), sweep=pl.lit("s"), figures=pl.lit("6"), network=pl.lit("n"), dataset=pl.lit("d"),
        definition=pl.lit("text"), split=pl.lit("test"), vectors=pl.lit("drawn"),
    )  # fmt: skip


def share_of_reports(frame: pl.DataFrame, states: list[str]) -> float:
    wrong = pl.col("removability").is_in(states) | pl.col("repetition").is_in(states)
    return float(frame.group_by("threshold").agg(wrong.any().alias("wrong"))["wrong"].mean())


@pytest.mark.parametrize("replicates", [2, 3, 5])
def test_noise_is_called_growth_in_no_more_than_one_report_of_twenty(replicates: int) -> None:
    found = verdicts(noise((0.0, 0.0), families=400, series=3, replicates=replicates))
    # 3 standard errors of a share of 0.05 in 400 reports
    assert share_of_reports(found, ["grows", "shrinks"]) <= 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5


def test_growth_at_the_bound_is_denied_in_no_more_than_one_report_of_twenty() -> None:
    found = verdicts(noise((0.01, float(np.log2(1.05))), families=400, series=3, replicates=4))
    assert share_of_reports(found, ["does not grow", "shrinks"]) <= 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5


def test_intervals_hold_the_true_slope_in_95_of_100_series() -> None:
    found = verdicts(noise((0.02, 0.5), families=500, series=2, replicates=3))
    held = found.select(
        auc=pl.lit(0.02).is_between("auc_low", "auc_high"),
        similarity=pl.lit(2**0.5).is_between("similarity_low", "similarity_high"),
    )
    for share in held.mean().row(0):
        assert share == pytest.approx(0.95, abs=3 * (0.95 * 0.05 / 1000) ** 0.5)


def test_the_replicates_said_to_be_needed_decide_four_of_five_times() -> None:
    needed = replicates_needed(3, mean=0.01, deviation=0.01, bound=0.001, claims=6)
    slopes = np.random.default_rng(0).normal(0.01, 0.01, size=(4000, needed))
    decided = (stats.ttest_1samp(slopes, 0, axis=1).pvalue < ALPHA / 6).mean()
    assert decided >= POWER - 0.02
    fewer = (stats.ttest_1samp(slopes[:, :-1], 0, axis=1).pvalue < ALPHA / 6).mean()
    assert fewer <= POWER + 0.02


def test_fewer_replicates_are_needed_for_a_larger_effect_and_fewer_claims() -> None:
    def needed(mean: float = 0.02, deviation: float = 0.01, claims: int = 6) -> int:
        return replicates_needed(2, mean, deviation, bound=0.01, claims=claims)

    assert [needed(mean) for mean in (0.008, 0.01, 0.02, 0.05)] == sorted(
        (needed(mean) for mean in (0.008, 0.01, 0.02, 0.05)), reverse=True
    )
    assert needed(0.01) > needed(0.02) > needed(0.1) >= 3
    assert needed(deviation=0.02) > needed(deviation=0.01)
    assert needed(claims=20) > needed(claims=2)
    assert needed(mean=0.0) < MOST_REPLICATES  # decided by the bound
    assert needed(mean=0.005, deviation=1.0) == MOST_REPLICATES + 1


def test_one_replicate_decides_nothing() -> None:
    row = verdict_of(trials([0.05], [1.0]))
    assert row["auc_slope"] == pytest.approx(0.05)
    assert (row["verdict"], row["removability"], row["repetition"]) == ("undecided",) * 3
    assert [row[name] for name in ("auc_low", "auc_high", "auc_p", "auc_no_growth_p", "similarity_p")] == [None] * 5
    assert (row["replicates"], row["replicates_needed"]) == (1, 3)


def test_a_measure_that_is_missing_leaves_the_other_to_be_judged() -> None:
    for nothing in (None, float("nan")):
        frame = trials(GROWS, GROWS).with_columns(similar_units=pl.lit(nothing, dtype=pl.Float64))
        row = verdict_of(frame)
        assert (row["removability"], row["repetition"], row["verdict"]) == ("grows", "undecided", "undecided")
        assert (row["similarity_factor"], row["replicates"], row["replicates_needed"]) == (None, 3, None)
        assert row["auc_p"] == pytest.approx(stats.ttest_1samp(GROWS, 0).pvalue)  # no second claim to correct for


def test_a_replicate_takes_part_with_the_widths_it_has_if_they_are_three() -> None:
    whole = trials((*GROWS, 0.9), (*FLAT, 0.9))
    last = pl.col("replicate") == 3
    row = verdict_of(whole.filter(~last | (pl.col("width") <= 0.5)))
    assert (row["replicates"], row["widths"], row["auc_slope"]) == (3, 5, pytest.approx(0.05))
    row = verdict_of(whole.filter(~last | (pl.col("width") <= 1)))
    assert (row["replicates"], row["widths"], row["auc_slope"]) == (4, 3, pytest.approx((0.15 + 0.9) / 4))
    row = verdict_of(whole.filter(pl.col("width") <= 0.5))
    assert (row["replicates"], row["widths"], row["verdict"], row["auc_slope"]) == (4, 2, "undecided", None)
    assert row["replicates_needed"] is None, "more of them would decide nothing"


def test_mean_similar_units_below_zero_are_taken_as_none() -> None:
    dead = trials(FLAT, FLAT).with_columns(similar_units=pl.lit(-1.0), definition=pl.lit("released"))
    row = verdict_of(dead)
    assert (row["similarity_factor"], row["repetition"]) == (1.0, "does not grow")


def test_the_rows_order_and_a_second_run_change_nothing() -> None:
    generator = np.random.default_rng(1)
    frame = pl.concat(
        [trials(generator.normal(size=4), generator.normal(size=4), series=name) for name in ("a", "b", "c")]
    )
    first = verdicts(frame)
    assert verdicts(frame).equals(first)
    assert verdicts(frame.sample(fraction=1, shuffle=True, seed=0)).equals(first)


def test_each_series_keeps_its_labels() -> None:
    frame = pl.concat([trials(GROWS, FLAT, sweep_id=name, sweep=f"sweep {name}") for name in ("b", "a")])
    found = verdicts(frame)
    assert found.select("sweep_id", "sweep", "figures", "network", "dataset").rows() == [
        (name, f"sweep {name}", ["6"], "mlp", "teacher") for name in ("a", "b")
    ]


def test_a_verdict_does_not_change_when_another_sweep_comes_into_the_database() -> None:
    own = trials((0.02, 0.03, 0.04), FLAT, sweep_id="own")
    others = [trials(NOISY, NOISY, sweep_id="other", series=f"series {number}") for number in range(5)]
    alone, among = verdicts(own), verdicts(pl.concat([own, *others])).filter(pl.col("sweep_id") == "own")
    assert among.equals(alone)
    assert alone["auc_p"][0] > 2 * stats.ttest_1samp([0.02, 0.03, 0.04], 0).pvalue - 1e-9


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda frame: verdicts(frame, auc_bound=0), ConfigError, "above 0, got 0"),
        (lambda frame: verdicts(frame, similarity_bound=1), ConfigError, "above 1, got 1"),
        (lambda frame: verdicts(frame.clear()), DataError, "got none"),
        (lambda frame: verdicts(pl.concat([frame, frame.head(1)])), DataError, "got two for .*He Norm"),
    ],
)
def test_what_cannot_be_judged_is_refused(change: Callable[..., Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        change(trials(GROWS, FLAT))


def test_reports_and_the_database_do_not_import_scipy() -> None:
    code = "import sys, autoreg.report.figure, autoreg.database.connection; assert 'scipy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_each_slope_says_with_how_many_widths_left_out_it_holds() -> None:
    rises = trials(GROWS, GROWS).with_columns(
        auc=pl.when(pl.col("width") < 4).then(pl.lit(0.5) - pl.col("width").log(2) / 1000).otherwise(0.6)
    )
    row = verdict_of(rises)
    assert (row["auc_held"], row["similarity_held"]) == ("4 of 5", "5 of 5")
    short = verdict_of(trials(GROWS, GROWS, widths=WIDTHS[:3]))
    assert (short["auc_held"], short["similarity_held"]) == (None, None)


def test_a_width_at_which_a_score_is_not_measured_is_not_one_that_is_left_out() -> None:
    frame = trials(GROWS, GROWS).with_columns(auc=pl.when(pl.col("width") < 4).then("auc"))
    row = verdict_of(frame)
    assert (row["auc_held"], row["similarity_held"]) == ("4 of 4", "5 of 5")
