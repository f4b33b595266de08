"""The paper's claims: each is said to hold, or not to, or not to be known yet, by the rule that its row names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from autoreg.config.series import figure_points
from autoreg.config.sweep_file import load_sweep
from autoreg.config.trial import Choice
from autoreg.database.connection import reading
from autoreg.database.writer import Writer
from autoreg.errors import DataError
from autoreg.packaged import figure_names, find_sweep, packaged_folder, sweep_names
from autoreg.report.claims import IS_SO, SCORES, judge_claims
from autoreg.report.table import read_table
from autoreg.report.verdicts import verdicts
from autoreg.runs.folder import Runs, TrialFolder
from tests.conftest import similarity_rows
from tests.helpers.records import write_record

CLAIMS = pl.read_csv(packaged_folder("reference") / "claims.csv", infer_schema_length=None)
GROWS, FLAT, SHRINKS, NOISY = (0.05, 0.051, 0.049), (0.0, 1e-4, -1e-4), (-0.05, -0.051, -0.049), (0.2, -0.1, 0.0)
STATES = {"grows": GROWS, "does not grow": FLAT, "shrinks": SHRINKS, "undecided": NOISY}


def test_every_claim_is_of_series_that_a_packaged_sweep_has() -> None:
    series: dict[str, set[str]] = {}
    for name in set(sweep_names()) - {"quickstart"}:
        sweep = load_sweep(find_sweep(name)).sweep
        for figure in sweep.figures:
            series[figure] = {point[0].removeprefix("None, ") for point in figure_points(sweep) if point[0] != "None"}
            series[figure] |= {"None"}  # the control of B10
    assert CLAIMS["claim"].to_list() == list(range(1, CLAIMS.height + 1))
    for claim in CLAIMS.to_dicts():
        assert claim["figure"] in figure_names()
        if claim["says"] is None:
            assert {claim[name] for name in ("quantity", "series", "against")} == {None}
            continue
        assert claim["quantity"] in {*SCORES, "either"}
        assert claim["says"] in {*IS_SO, "as"}
        assert (claim["against"] is not None) == (claim["says"] in ("higher", "as"))
        assert {*claim["series"].split("; "), *([claim["against"]] if claim["against"] else [])} <= series[
            claim["figure"]
        ], claim


def test_a_database_says_of_each_claim_whether_it_holds(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    """Glorot only removes, He only repeats, and LeCun repeats a little, but its areas are not known well."""
    two_units = similarity_rows(((1, 1), (1, 1)))
    folders = [
        trial(
            network=Choice(name="alexnet"), dataset=Choice(name="cifar10"), initializer=Choice(name=f"{name}_normal"),
            width=2.0**step, replicate=replicate, unchanged=(1.0, 0.4 + slopes[replicate] * step, 0.1),
            similarity=two_units.with_columns(pairs=pl.lit([0] * 75 + [count(step)] + [0] * 24)),
        )
        for name, slopes, count in (
            ("glorot", (0.2, 0.21, 0.19), lambda _: 1),
            ("he", (0.0, 0.001, -0.001), lambda step: 2 ** (4 + 2 * step)),
            ("lecun", (0.3, -0.1, 0.0), lambda step: 2 ** (3 + step)),
        )
        for step in (-1, 0, 1) for replicate in range(3)
    ]  # fmt: skip
    write_record(runs, sweep_record(folders, ["1c", "2", "3", "6"]))
    writer = Writer(tmp_path / "results.db", runs)
    writer.queue_sweep("0123456789abcdef")
    for folder in folders:
        writer.queue_trial(folder)
    assert writer.commit()
    with reading(tmp_path / "results.db") as connection:
        table = read_table(connection, "claims", "fixture")
    both = {(row["figure"], row["words"]): (row["released"], row["text"]) for row in table.shown.to_dicts()}
    assert all(released == text for released, text in both.values())
    said = {(figure, words[:46]): outcome for (figure, words), (outcome, _) in both.items()}
    assert {words: outcome for (figure, words), outcome in said.items() if figure in ("1c", "2", "3", "6")} == {
        "accuracy of AlexNet does not fall, from each o": "holds",
        "Glorot's wider AlexNets resist the removal of ": "holds",
        "He's wider AlexNets do not": "holds",
        "the more units are dropped, the more labels ch": "not judged",
        "units of Glorot's AlexNets become more correla": "does not hold",
        "units of He's AlexNets become more correlated": "holds",
        "many more units are correlated under He than u": "holds",
        "removability grows under Glorot and LeCun": "undecided",
        "removability is fairly flat under He": "holds",
        "repetition does not come with Glorot (as we re": "holds",
        "repetition grows under He": "holds",
        "repetition under LeCun lies between: above Glo": "holds",
        "repetition under LeCun lies between: below He'": "holds",
        "which activation vectors are drawn makes hardl": "not judged",
        "under LeCun and He similar units more than dou": "not judged",
        "removable or repeated units emerge from each i": "holds",
    }
    assert {outcome for (figure, _), outcome in said.items() if figure == "B5"} == {"not run"}
    [row] = table.frame.filter(definition="text", words="removability grows under Glorot and LeCun").to_dicts()
    assert row["found"] == "Glorot Norm: grows; LeCun Norm: undecided"
    assert row["replicates_needed"] > 3
    assert (row["sweep"], row["vectors"]) == ("fixture", None)
    assert table.frame.filter(words="repetition grows under He")["vectors"].to_list() == ["drawn", "drawn"]


def test_a_sweep_that_feeds_no_figure_of_the_paper_is_not_held_against_it(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    folder = trial()
    write_record(runs, sweep_record([folder], ["Width"]))
    writer = Writer(tmp_path / "results.db", runs)
    writer.queue_sweep("0123456789abcdef")
    writer.queue_trial(folder)
    assert writer.commit()
    with reading(tmp_path / "results.db") as connection:
        with pytest.raises(DataError, match="table claims has no row yet"):
            read_table(connection, "claims")
        assert read_table(connection, "verdicts").frame.height > 0


def trials(
    series: str = "one", auc: Any = FLAT, group: Any = FLAT, accuracy: Any = FLAT, **labels: Any
) -> pl.DataFrame:
    """A series at five widths; replicate i's score has the i-th slope over doublings of each measure."""
    fixed = {
        "sweep_id": "s", "sweep": "sweep", "figures": ["6"], "network": "mlp", "dataset": "teacher", "threshold": 0.5,
        "definition": "text", "split": "test", "vectors": "drawn", "series": series, "higher": 0.0,
    }  # fmt: skip
    fixed |= labels
    higher = fixed.pop("higher")
    rows = [
        {
            **fixed, "replicate": replicate, "width": 2.0**step, "auc": 0.5 + auc[replicate] * step + higher,
            "similar_units": 2.0 ** (6 + group[replicate] * step + higher) - 1,
            "test_accuracy": 0.7 + accuracy[replicate] * step + higher,
        }
        for replicate in range(len(auc)) for step in (-2, -1, 0, 1, 2)
    ]  # fmt: skip
    return pl.DataFrame(rows)


def outcome(frame: pl.DataFrame, quantity: str, says: str, series: str = "one", against: str | None = None) -> str:
    claim = {
        "claim": 1, "place": "here", "figure": "6", "words": "so it is", "quantity": quantity, "says": says,
        "series": series, "against": against,
    }  # fmt: skip
    found = judge_claims(pl.DataFrame([claim]), frame)
    return str(found.filter(definition="text")["outcome"].item())


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ("grows", ("holds", "does not hold", "does not hold", "undecided")),
        ("does not grow", ("does not hold", "holds", "holds", "undecided")),
        ("shrinks", ("does not hold", "undecided", "holds", "undecided")),
    ],
)
@pytest.mark.parametrize(
    ("quantity", "argument"), [("removability", "auc"), ("repetition", "group"), ("accuracy",) * 2]
)
def test_a_claim_of_growth_holds_if_the_state_is_the_one_it_says(
    says: str, expected: tuple[str, ...], quantity: str, argument: str
) -> None:
    times = 10 if argument == "group" else 1
    found = [
        outcome(trials(**{argument: [times * slope for slope in slopes]}), quantity, says) for slopes in STATES.values()
    ]
    assert tuple(found) == expected


def test_accuracy_that_does_not_fall_is_an_error_that_does_not_grow() -> None:
    found = [outcome(trials(accuracy=slopes), "error", "does not grow") for slopes in STATES.values()]
    assert found == ["holds", "holds", "does not hold", "undecided"]


def test_either_needs_one_that_grows_and_fails_only_if_both_are_known_not_to() -> None:
    groups = {"grows": (0.5, 0.51, 0.49), "flat": FLAT, "noisy": (2.0, -1.0, 0.0)}
    found = {
        (first, second): outcome(trials(auc=slopes, group=groups[second]), "either", "grows")
        for first, slopes in (("grows", GROWS), ("flat", FLAT), ("noisy", NOISY)) for second in groups
    }  # fmt: skip
    assert found == {
        ("grows", "grows"): "holds", ("grows", "flat"): "holds", ("grows", "noisy"): "holds",
        ("flat", "grows"): "holds", ("flat", "flat"): "does not hold", ("flat", "noisy"): "undecided",
        ("noisy", "grows"): "holds", ("noisy", "flat"): "undecided", ("noisy", "noisy"): "undecided",
    }  # fmt: skip


def test_a_trend_is_as_another_if_both_grow_or_both_do_not() -> None:
    def found(one: Any, other: Any) -> str:
        frame = pl.concat([trials(auc=one), trials("other", auc=other)])
        return outcome(frame, "removability", "as", against="other")

    assert (found(GROWS, GROWS), found(FLAT, SHRINKS)) == ("holds", "holds")
    assert (found(GROWS, FLAT), found(SHRINKS, GROWS)) == ("does not hold", "does not hold")
    assert (found(NOISY, GROWS), found(GROWS, NOISY)) == ("undecided", "undecided")


@pytest.mark.parametrize("shift", [-0.3, 0.0, 0.02, 0.3])
@pytest.mark.parametrize("quantity", ["removability", "repetition", "accuracy"])
def test_a_series_is_higher_by_scipys_t_test_of_the_mean_differences(quantity: str, shift: float) -> None:
    slopes = np.random.default_rng(1).normal(0, 0.02, (2, 4))
    one, other = (
        trials(name, auc=each, group=each, accuracy=each, higher=above)
        for name, each, above in (("one", slopes[0], shift), ("other", slopes[1], 0.0))
    )
    noise = pl.Series(np.random.default_rng(2).normal(0, 0.01, 20))
    one = one.with_columns(pl.col("auc", "test_accuracy") + noise, pl.col("similar_units") * 2**noise)
    column = {"removability": "auc", "repetition": "similar_units", "accuracy": "test_accuracy"}[quantity]
    scores = [frame[column].to_numpy().reshape(4, 5) for frame in (one, other)]
    if quantity == "repetition":
        scores = [np.log2(1 + each) for each in scores]
    differences = (scores[0] - scores[1]).mean(1)
    bound = np.log2(1.05) if quantity == "repetition" else 0.01
    is_other = stats.ttest_1samp(differences, 0).pvalue < 0.05
    is_small = stats.ttest_1samp(differences, bound, alternative="less").pvalue < 0.05
    lower = bool(is_other and differences.mean() < 0) or is_small
    expected = "does not hold" if lower else "holds" if is_other else "undecided"
    assert outcome(pl.concat([one, other]), quantity, "higher", against="other") == expected


def test_similar_units_over_all_vectors_are_not_compared_to_those_over_drawn_ones() -> None:
    drawn, exact = trials(higher=2.0), trials("other", vectors="all")
    assert outcome(pl.concat([drawn, trials("other")]), "repetition", "higher", against="other") == "holds"
    assert outcome(pl.concat([drawn, exact]), "repetition", "higher", against="other") == "undecided"
    assert outcome(pl.concat([drawn, exact]), "removability", "higher", against="other") == "holds"


def test_a_claim_of_several_series_fails_with_one_and_waits_for_those_that_were_not_run() -> None:
    frame = pl.concat([trials(auc=GROWS), trials("flat", auc=FLAT), trials("noisy", auc=NOISY)])
    assert outcome(frame, "removability", "grows", "one; none such") == "not run"
    assert outcome(frame, "removability", "grows", "one; noisy; none such") == "not run"
    assert outcome(frame, "removability", "grows", "one; noisy; flat; none such") == "does not hold"
    assert outcome(frame, "removability", "grows", "one; noisy") == "undecided"
    assert outcome(frame, "removability", "higher", "one", "none such") == "not run"


def test_comparisons_and_accuracies_change_no_verdict() -> None:
    slopes = [*STATES.values(), GROWS, FLAT]
    frame = pl.concat([trials(f"series {index}", auc=each, group=each) for index, each in enumerate(slopes)])
    expected = dict(verdicts(frame).select("series", "removability").iter_rows())
    assert {*expected.values()} == {*STATES}
    claims = [
        {
            "claim": index, "place": "", "figure": "6", "words": "", "quantity": "removability", "says": says,
            "series": f"series {index % 6}", "against": "series 0" if says == "higher" else None,
        }
        for index, says in enumerate(["grows"] * 6 + ["higher"] * 6)
    ]  # fmt: skip
    found = judge_claims(pl.DataFrame(claims, infer_schema_length=None), frame).filter(pl.col("claim") < 6)
    said = found.filter(definition="text").select("series", "found").iter_rows()
    assert {series: text.removeprefix(f"{series}: ") for series, text in said} == expected


def test_one_replicate_decides_nothing_and_three_are_needed() -> None:
    claims = CLAIMS.filter(words="repetition grows under He")
    found = judge_claims(claims, trials("He Norm", group=GROWS[:1], auc=FLAT[:1], accuracy=FLAT[:1]))
    assert found.filter(definition="text").select("outcome", "replicates_needed").row(0) == ("undecided", 3)


@pytest.mark.parametrize("path", sorted(Path(__file__).parents[2].glob("reports/gallery/*/table_claims.csv")), ids=str)
def test_the_gallerys_claims_say_what_its_verdicts_do(path: Path) -> None:
    verdict = pl.read_csv(path.with_name("table_verdicts.csv"), infer_schema_length=None).filter(threshold=0.5)
    states = {(row["definition"], row["series"]): row for row in verdict.to_dicts()}
    claims = pl.read_csv(path, infer_schema_length=None)
    compared = claims.filter(pl.col("found").is_not_null(), pl.col("quantity").is_in(["removability", "repetition"]))
    compared = compared.filter(pl.col("says").is_in([*IS_SO][:3]))
    assert not compared.is_empty()
    for row in compared.to_dicts():
        series = [part.rpartition(": ")[0] for part in row["found"].split("; ")]
        assert {*series} <= {*row["series"].split("; ")}
        assert row["found"] == "; ".join(f"{one}: {states[row['definition'], one][row['quantity']]}" for one in series)
