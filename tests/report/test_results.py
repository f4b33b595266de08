"""results.db in Python: frames and figures, without torch or ray."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.figure import Figure

import autoreg
from autoreg.errors import ConfigError, DataError
from tests.helpers.scored import scored


@pytest.fixture
def results(tmp_path: Path, fill_in: Callable[..., Path]) -> autoreg.Results:
    return autoreg.Results(fill_in(tmp_path, figures=["6", "B5"]))


def test_tables_views_and_queries_are_frames(results: autoreg.Results) -> None:
    assert {"trials", "auc", "figure_6"} <= set(results.names())
    assert results.table("trials").height == 8
    assert results.query("select count(*) from trials where width = $width", width=0.25).row(0) == (4,)
    assert results.report("1").height == 4


def test_a_figure_is_drawn_whole_or_into_axes(results: autoreg.Results) -> None:
    assert results.figures() == ["6", "B5"]
    figure = results.figure("6")
    assert len(figure.axes) == 2
    assert figure._repr_png_().startswith(b"\x89PNG")  # what a notebook shows
    own = Figure()
    axes = own.subplots()
    results.draw("6", "auc", axes)
    labels = [container.get_label() for container in axes.containers]
    assert labels == ["Glorot Norm", "He Norm"]
    assert results.frame("6")["series"].unique().sort().to_list() == labels


def test_findings_are_sentences_of_the_latest_sweep_or_of_a_named_one(results: autoreg.Results) -> None:
    removable, repeated, sure, *_ = results.findings()
    assert removable.startswith(
        "Removable units: two widths make no trend, three are needed; for Glorot Norm, from 0.53"
    )
    assert repeated.startswith("Repeated units: two widths make no trend")
    assert sure == "How sure: growth can be tested from 3 widths of a series on."
    assert results.findings("fixture") == results.findings()
    with pytest.raises(ConfigError, match="no sweep 'other'"):
        results.findings("other")


def test_findings_of_no_sweep_are_an_error(tmp_path: Path) -> None:
    path = scored(tmp_path / "results.db", {})
    with pytest.raises(DataError, match="has no sweep yet"):
        autoreg.Results(path).findings()


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda results: results.table("trails"), "no table or view 'trails'; did you mean 'trials'?"),
        (lambda results: results.figure("77"), "unknown figure '77'"),
        (lambda results: results.figure("1"), "figure 1 has several panels, each a figure of its own: 1a, 1b, 1c"),
        (lambda results: results.draw("6", "aux", Figure().subplots()), "no panel 'aux'; did you mean 'auc'?"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(
    results: autoreg.Results, ask: Callable[[autoreg.Results], object], words: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        ask(results)
    assert str(raised.value).startswith(words)


def test_a_missing_database_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.db does not exist"):
        autoreg.Results(tmp_path / "nowhere.db")


def test_results_pay_for_neither_torch_nor_ray(results: autoreg.Results) -> None:
    code = (
        "import sys, autoreg\n"
        f"autoreg.Results({str(results.path)!r}).figure('6')\n"
        "print(sorted({'torch', 'ray', 'optuna'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
