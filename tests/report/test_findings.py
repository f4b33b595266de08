"""What is said of a sweep, case by case: agreeing and disagreeing series, what is not sure, and what there is not."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest

from autoreg.database.connection import reading
from autoreg.errors import DataError
from autoreg.report.findings import cautions, findings
from tests.helpers.scored import scored

WIDTHS = (0.5, 1.0, 2.0)
#: Change of the AUC for each doubling, and similar units at each width, by replicate.
GROWS, FLAT, SHRINKS, NOISY = (0.05, 0.051, 0.049), (0.0, 0.0001, -0.0001), (-0.05, -0.051, -0.049), (0.2, -0.1, 0.0)
UNSURE = (0.07, 0.02, 0.12)
DOUBLES, SAME, HALVES = ((3, 7, 15),) * 3, ((7, 7, 7),) * 3, ((15, 7, 3),) * 3
DIPS = ((7, 3, 15),) * 3
MIXED = ((3, 7, 15), (15, 7, 3), (7, 7, 7))
FULL = ((31, 63, 127),) * 3


def series(
    name: str, auc: Sequence[float] = GROWS, similar: Sequence[Sequence[int]] = DOUBLES, **more: Any
) -> list[dict[str, Any]]:
    """Return a series' trials; its AUC is 0.5 at width 1."""
    return [
        {
            "series": name, "width": width, "replicate": replicate, "auc": 0.5 + slope * place,
            "similar": similar[replicate][place + 1], **more,
        }
        for replicate, slope in enumerate(auc) for place, width in zip((-1, 0, 1), WIDTHS, strict=True)
    ]  # fmt: skip


def without(trials: Iterable[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [{name: value for name, value in trial.items() if name not in names} for trial in trials]


DROPPING = "the share of labels that survive dropping units (AUC, at most 1) changes by"
DOUBLING = "with each doubling of the width"
ENDS = "from 0.45 at ½× to 0.55 at 2×"
DISAGREE = (
    "it depends on the series: wider networks have more of them for a, no more for b, fewer for c (undecided for d): "
)
GROUP = "a unit's group of similar units"
CASES: dict[str, tuple[list[dict[str, Any]], str, str, str]] = {
    "all series grow": (
        [*series("a"), *series("b", (0.07, 0.071, 0.069))],
        f"wider networks have more of them: {DROPPING} +0.050 to +0.070 {DOUBLING}; for a, {ENDS}.",
        f"wider networks have more of them: {GROUP} grows 2.00-fold {DOUBLING} (2-fold: in proportion); "
        "for a, a unit has 3.0 similar units at ½× and 15.0 at 2×.",
        "removable units and repeated units are decided in every series "
        "(3 replicates of each setting, tested at 5 % over all claims of the sweep).",
    ),
    "none grows": (
        [*series("a", FLAT, SAME), *series("b", SHRINKS, SAME)],
        f"wider networks do not have more of them: {DROPPING} −0.050 to +0.000 {DOUBLING}; "
        "for b, from 0.55 at ½× to 0.45 at 2×.",
        f"wider networks do not have more of them: {GROUP} grows 1.00-fold {DOUBLING} (2-fold: in proportion); "
        "for a, a unit has 7.0 similar units at ½× and 7.0 at 2×.",
        "removable units and repeated units are decided in every series",
    ),
    "all shrink": (
        [*series("a", SHRINKS, HALVES), *series("b", SHRINKS, HALVES)],
        f"wider networks have fewer of them: {DROPPING} −0.050 {DOUBLING}; for a, from 0.55 at ½× to 0.45 at 2×.",
        f"wider networks have fewer of them: {GROUP} changes 0.50-fold {DOUBLING} (2-fold: in proportion); "
        "for a, a unit has 15.0 similar units at ½× and 3.0 at 2×.",
        "removable units and repeated units are decided in every series",
    ),
    "series disagree": (
        [*series("a"), *series("b", FLAT, SAME), *series("c", SHRINKS, HALVES), *series("d", NOISY, MIXED)],
        f"{DISAGREE}{DROPPING} −0.050 to +0.050",
        f"{DISAGREE}{GROUP} changes 0.50- to 2.00-fold",
        "removable units are undecided in 1 of 4 series and repeated units are undecided in 1 of 4 series; ",
    ),
    "one series is not decided": (
        [*series("a"), *series("b", UNSURE, DOUBLES)],
        f"wider networks seem to have more of them: {DROPPING} +0.050 to +0.070 {DOUBLING}; for a, {ENDS}.",
        f"wider networks have more of them: {GROUP} grows 2.00-fold {DOUBLING}",
        "repeated units are decided in every series but removable units are undecided in 1 of 2 series; about ",
    ),
    "nothing is decided and estimates lie on both sides": (
        [*series("a", NOISY, MIXED), *series("b", (0.1, -0.2, 0.0), MIXED)],
        f"whether wider networks have more of them is undecided: {DROPPING} −0.033 to +0.033 {DOUBLING}; "
        "for b, from 0.53 at ½× to 0.47 at 2×.",
        f"whether wider networks have more of them is undecided: {GROUP} grows 1.00-fold",
        "nothing is certain, removable units and repeated units are undecided in every series; "
        "more than 100 replicates would decide all, there are 3.",
    ),
    "one series has its interval": (
        series("a"),
        f"wider networks have more of them: {DROPPING} +0.050 (95 % interval +0.048 to +0.052) {DOUBLING}; ",
        f"wider networks have more of them: {GROUP} grows 2.00-fold (95 % interval 2.00-fold) {DOUBLING}",
        "removable units and repeated units are decided in every series",
    ),
    "one replicate": (
        [*series("a", GROWS[:1]), *series("b", GROWS[:1], SAME)],
        f"in the one replicate that has three widths, wider networks have more of them: {DROPPING} +0.050 {DOUBLING}; ",
        f"whether wider networks have more of them is undecided: {GROUP} grows 1.00- to 2.00-fold",
        "only one replicate of each series spans the widths, so nothing can be told from chance; at least 3 are",
    ),
    "one series has more replicates": (
        [*series("a"), *series("b", GROWS[:1])],
        f"wider networks seem to have more of them: {DROPPING} +0.050 {DOUBLING}; ",
        f"wider networks seem to have more of them: {GROUP} grows 2.00-fold",
        "removable units are undecided in 1 of 2 series and repeated units are undecided in 1 of 2 series; "
        "about 3 replicates would decide all, there are 1 to 3.",
    ),
    "a series at its ceiling is in no range": (
        [*series("a", GROWS, ((3, 6, 11),) * 3), *series("full", GROWS, FULL)],
        f"wider networks have more of them: {DROPPING} +0.050 {DOUBLING}; ",
        # by hand: half of log2(12 / 4)
        f"wider networks have more of them: {GROUP} grows 1.73-fold (95 % interval 1.73-fold) {DOUBLING}",
        "removable units and repeated units are decided in every series",
    ),
    "all series at their ceiling": (
        [*series("a", GROWS, FULL), *series("b", GROWS, FULL)],
        "wider networks have more of them: ",
        "nearly every unit is similar to all others of its layer (31.0 to 127.0), so there is nothing left to repeat.",
        "removable units are decided in every series",
    ),
    "a line that dips": (
        [{**trial, "auc": trial["auc"] - 0.08 * (trial["width"] == 1.0)} for trial in series("a")],
        "wider networks have more of them: ",
        "wider networks have more of them: ",
        "removable units and repeated units are decided in every series",
    ),
    "one width": (
        [trial for trial in series("a") + series("b") if trial["width"] == 1.0],
        "measured at one width, 1×, which shows no growth; labels survive dropping units with an AUC of 0.50.",
        "measured at one width, 1×, which shows no growth; similar units per unit: 7.00.",
        "growth can be tested from 3 widths of a series on.",
    ),
    "two widths": (
        [trial for trial in series("a") if trial["width"] > 0.5],
        "two widths make no trend, three are needed; for a, from 0.50 at 1× to 0.55 at 2×.",
        "two widths make no trend, three are needed; for a, a unit has 7.0 similar units at 1× and 15.0 at 2×.",
        "growth can be tested from 3 widths of a series on.",
    ),
    "variants with several networks": (
        [*series("he_normal", variant="AlexNet"), *series("he_normal", FLAT, SAME, variant="ResNet56")],
        "it depends on the series: wider networks have more of them for AlexNet, no more for ResNet56: ",
        "it depends on the series: wider networks have more of them for AlexNet, no more for ResNet56: ",
        "removable units and repeated units are decided in every series",
    ),
    "similar units are not measured yet": (
        without(series("a"), "similar"),
        "wider networks have more of them: ",
        "none of the trained networks is measured yet.",
        "removable units are decided in every series",
    ),
}


WITHOUT_SCORES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "all failed": (
        {"trials": [{**trial, "status": "failed"} for trial in series("a")]},
        ["Nothing was found: none of 9 networks is trained (9 failed)."],
    ),
    "not run": (
        {"trials": [{**trial, "status": "not run"} for trial in series("a")]},
        ["Nothing was found: none of 9 networks is trained (9 not run)."],
    ),
    "nothing measured": (
        {"trials": without(series("a"), "auc", "similar")},
        [
            "Nothing is found yet: none of 9 trained networks is measured.",
            "Test accuracy: 90.0 % over 9 networks; for a, from 90.0 at ½× to 90.0 at 2×.",
        ],
    ),
    "accuracies only": (
        {"trials": without(series("a"), "auc", "similar"), "metrics": ()},
        [
            "Removable and repeated units: not measured, since the sweep asks for neither.",
            "Test accuracy: 90.0 % over 9 networks; for a, from 90.0 at ½× to 90.0 at 2×.",
        ],
    ),
    "parameter counts": (
        {
            "metrics": (),
            "groups": [
                {"variant": "MLP", "width": 0.25, "parameters": 1100},
                {"variant": "AlexNet", "width": 4.0, "parameters": 90_000_000},
            ],
        },
        ["Trainable parameters: from 1,100 (MLP at ¼×) to 90,000,000 (AlexNet at 4×); the sweep trains no network."],
    ),
}
COMPRESSED = {
    "trials": [
        {**trial, "compressed": 0.25 * (2 * trial["width"]) ** 0.5}  # half as many doublings
        for trial in series("a") + series("b")
    ],
    "metrics": ("ablation", "similarity", "compression"),
}


STEEP = series("steep", (0.1, 0.1, 0.1), SAME)
CAUTIONS: dict[str, tuple[list[dict[str, Any]], dict[str, Any], list[str]]] = {
    "nothing": ([*series("a"), *STEEP], {}, []),
    "trials are missing": (
        [{**trial, "status": ("done", "failed", "diverged")[trial["replicate"]]} for trial in series("a")],
        {},
        ["Without a trained network: 6 of 9 final trials (3 failed, 3 diverged)."],
    ),
    "not measured": (
        [
            *without(series("a"), "auc", "similar"),
            *series("b")[1:],
            *without(series("b")[:1], "similar"),
            *STEEP,
        ],
        {},
        ["Trained but not fully measured: 10 of 27 networks (all of a and b at ½×)."],
    ),
    "random labels that are not learnt": (
        [{**trial, "learnt": 0.2 + 0.4 * trial["width"]} for trial in series("a")]
        + [{**trial, "learnt": 0.96} for trial in STEEP],
        {},
        ["Random labels that were not learnt by heart: a at ½× (40 %) and a at 1× (60 %)."],
    ),
    "at the ceiling": (
        [*series("a", GROWS, FULL), *STEEP],
        {},
        [
            "Nothing is left to repeat for a at ½×, 1× and 2×: nearly every unit is similar to all others of its "
            "layer. Such a series can only grow as its layers do, and counts in no number above."
        ],
    ),
    "turning lines": (
        [{**trial, "auc": trial["auc"] - 0.2 * (trial["width"] == 1.0)} for trial in series("a", similar=DIPS)] + STEEP,
        {},
        [
            "The AUC does not change steadily with width for a: the ends do not tell all.",
            "The number of similar units does not change steadily with width for a: the ends do not tell all.",
        ],
    ),
    "one line twice": (
        [*series("a"), *series("b", (0.0505, 0.0515, 0.0495))],
        {},
        [
            "a and b are nearly one line: their AUCs differ by 0.001 at most. "
            "A replicate has the same random numbers in every series, so count them as one."
        ],
    ),
    "dead units": (
        [*series("a", dead=16), *STEEP],
        {},
        [
            "Up to 50 % of a network's units are dead (constant) for a: "
            "the two definitions count them differently, so look at both."
        ],
    ),
    "a threshold of the sweep's own": (
        [*series("a"), *STEEP],
        {"options": '{"threshold": 0.4}'},
        ["The sentences above take |r| ≥ 0.5 as similar, as the paper does; figures take this sweep's own, |r| ≥ 0.4."],
    ),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., list[str]]]:
    """Tell what is found in a sweep of the one database that has all cases."""
    sweeps: dict[str, dict[str, Any]] = {name: {"trials": case[0]} for name, case in CASES.items()}
    sweeps |= {name: asked for name, (asked, _) in WITHOUT_SCORES.items()}
    sweeps |= {f"beware: {name}": {"trials": trials, **options} for name, (trials, options, _) in CAUTIONS.items()}
    sweeps["compressed"] = COMPRESSED
    sweeps["no similarity"] = {"trials": without(series("a"), "similar"), "metrics": ("ablation",)}
    with reading(scored(tmp_path_factory.mktemp("scored") / "results.db", sweeps)) as connection:
        yield lambda sweep, tell=findings: tell(connection, sweep, "released")


@pytest.mark.parametrize("case", CASES)
def test_the_three_sentences_of(said: Callable[..., list[str]], case: str) -> None:
    lines = said(case)
    assert len(lines) == 3
    for line, name, text in zip(lines, ("Removable units", "Repeated units", "How sure"), CASES[case][1:], strict=True):
        assert line.startswith(f"{name}: {text}")


def test_a_line_that_turns_is_not_called_steady(said: Callable[..., list[str]]) -> None:
    assert said("a line that dips")[0].endswith("; for a, from 0.45 at ½× to 0.55 at 2×, not steadily.")
    assert said("all series grow")[0].endswith(" at 2×.")


@pytest.mark.parametrize("case", WITHOUT_SCORES)
def test_a_sweep_without_scores_says_what_it_has(said: Callable[..., list[str]], case: str) -> None:
    assert said(case) == WITHOUT_SCORES[case][1]


def test_a_metric_that_is_not_asked_for_is_named(said: Callable[..., list[str]]) -> None:
    assert said("no similarity")[1] == "Repeated units: not measured, since the sweep does not ask for similarity."


def test_compressed_width_is_said_where_it_was_measured(said: Callable[..., list[str]]) -> None:
    assert said("compressed")[1].endswith(
        " With units taken out for real (either), for a a ½× network needs 0.25× and a 2× network needs 0.5× to keep "
        "99 % of the labels; of 2 series, this compressed width grows less than in proportion in 2."
    )


@pytest.mark.parametrize("case", CAUTIONS)
def test_what_to_beware_of(said: Callable[..., list[str]], case: str) -> None:
    assert said(f"beware: {case}", cautions) == CAUTIONS[case][2]


def test_a_sweep_that_is_not_there_is_an_error(said: Callable[..., list[str]]) -> None:
    with pytest.raises(DataError, match="no sweep of the id 'x'"):
        said("x")
