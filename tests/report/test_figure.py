"""Reports are made from results.db alone, say what is missing, and carry their provenance."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from autoreg.config.trial import Choice
from autoreg.database.connection import query, reading
from autoreg.database.queries import sweep_status
from autoreg.errors import ConfigError, DatabaseError, DataError
from autoreg.packaged import figure_names
from autoreg.report.figure import figures_with_data, picture, read_figure
from autoreg.report.figures.source import find_figures
from autoreg.report.figures.style import HOLLOW
from tests.conftest import COMPRESSED

Fill = Callable[..., Path]


def report(
    database: Path, name: str, out: Path, definition: str = "released", sweep: str | None = None, **options: Any
) -> tuple[list[Path], list[str]]:
    [source] = find_figures(name)
    with reading(database) as connection:
        rows = read_figure(connection, source, definition, sweep)
    return rows.write(out, **options), rows.missing


@pytest.fixture
def fill(tmp_path: Path, fill_in: Fill) -> Fill:
    """Make a results.db of this test's own."""
    return partial(fill_in, tmp_path)


@pytest.fixture(scope="module")
def of_network(tmp_path_factory: pytest.TempPathFactory, fill_in: Fill) -> Callable[[str], Path]:
    """The results.db of a network, made once."""
    return cache(
        lambda network: fill_in(tmp_path_factory.mktemp(network), network=network, settings={"compressed": COMPRESSED})
    )


@pytest.mark.parametrize(
    ("definition", "formats"), [("released", ("pdf", "csv")), ("text", ("png", "csv"))], ids=["released", "text"]
)
@pytest.mark.parametrize("name", figure_names())
def test_every_figure_is_written_in_both_definitions(
    of_network: Callable[[str], Path], tmp_path: Path, name: str, definition: str, formats: tuple[str, ...]
) -> None:
    network = {"B6": "resnet56", "B7": "resnet18", "B8": "inception_v3", "B9": "inception_v3_layer"}.get(name, "mlp")
    paths, missing = report(of_network(network), name, tmp_path / "out", definition, formats=formats)
    assert missing == []
    assert [path.suffix[1:] for path in paths] == [*formats, "json"]
    assert paths[0].read_bytes().startswith({"png": b"\x89PNG", "pdf": b"%PDF"}[formats[0]])
    facts = json.loads(paths[2].read_text(encoding="utf-8"))
    assert (facts["definition"], facts["sweep"]) == (definition, "fixture")
    assert len(facts["trials"]) == (0 if name == "B1" else 8)
    assert set(facts["versions"]) == {"autoreg", "python", "duckdb", "matplotlib", "polars", "figure"}
    assert facts["trained_with"] == {}, "nothing is recorded of these"
    table = pl.read_csv(paths[1])
    assert set(table["series"]) == ({"mlp"} if name == "B1" else {"He Norm", "Glorot Norm"})
    assert set(table["width"]) == {0.25, 1.0}


def test_every_figure_of_the_paper_is_there_and_one_for_any_sweep() -> None:
    numbered = ["1a", "1b", "1c", "2", "3", "4", "5", "6", *(f"B{number}" for number in range(1, 14))]
    assert figure_names() == [*numbered, "Curve", "Phase", "Scores", "Transfer", "Width"]
    assert [source.name for source in find_figures("1")] == ["1a", "1b", "1c"]
    assert [source.name for source in find_figures("b5")] == ["B5"]


def test_the_picture_says_which_of_several_sweeps_it_shows_and_what_is_missing(fill: Fill) -> None:
    path = fill(drop=3)
    [source] = find_figures("6")
    with reading(path) as connection:
        one = read_figure(connection, source).draw().get_supxlabel()
    assert "mlp 1/4x glorot_normal: 1 of 2 trials (1 not run)" in one.replace("\n", " ")
    assert "sweep fixture" not in one
    fill(drop=8, sweep_id="f" * 16, updated_at="2025-01-01T00:00:00+00:00")
    with reading(path) as connection:
        rows = read_figure(connection, source)
        assert rows.sweep_id == "0123456789abcdef"
        assert "sweep fixture (0123456789abcdef), the latest of 2 with this figure" in rows.draw().get_supxlabel()
        assert read_figure(connection, source, sweep="0123456789abcdef").remarks == rows.remarks[1:]


def test_a_trial_that_is_trained_but_not_measured_is_hollow_and_in_no_mean(fill: Fill) -> None:
    path, sql = fill(), "select trial_id from final_trials where series = 'He Norm' and width = 1 order by all limit 1"
    with duckdb.connect(str(path)) as connection:
        [[trial]] = connection.execute(sql).fetchall()
        for table in ("measurements", "ablation", "units", "correlations"):
            connection.execute(f"delete from {table} where trial_id = ?", [trial])
    [source] = find_figures("B5")
    with reading(path) as connection:
        rows = read_figure(connection, source)
    assert rows.frame.filter(series="He Norm", width=1.0)["replicates"].to_list() == [1]
    figure = rows.draw()
    [hollow] = [line for line in figure.axes[0].lines if line.get_gid() == HOLLOW]
    assert list(hollow.get_ydata()) == [50]
    assert rows.unmeasured is not None
    assert rows.unmeasured["trial_id"].to_list() == [trial]
    assert trial not in rows.trials
    assert "hollow: trained, not measured" in figure.get_supxlabel().replace("\n", " ")


def test_letters_without_a_font_are_told_and_are_no_warning(fill: Fill, tmp_path: Path) -> None:
    path = fill(name="\U0010fffd")
    [source] = find_figures("6")
    with reading(path) as connection:
        rows = read_figure(connection, source)
    assert rows.remarks == ["boxes stand for U+10FFFD, which no font here has"]
    assert len(rows.write(tmp_path / "out", ["png", "svg"])) == 3
    assert picture(rows.draw(), "svg") == picture(rows.draw(), "svg")


def test_missing_trials_are_said_with_their_settings(fill: Fill, tmp_path: Path) -> None:
    paths, missing = report(fill(drop=3), "6", tmp_path / "out")
    assert missing == [
        "mlp 1/4x he_normal: 2 of 2 trials (2 not run)",
        "mlp 1/4x glorot_normal: 1 of 2 trials (1 not run)",
    ]
    assert json.loads(paths[3].read_text(encoding="utf-8"))["missing"] == missing


def test_a_figure_without_any_trial_says_what_would_make_it(fill: Fill, tmp_path: Path) -> None:
    path = fill(drop=8)
    with pytest.raises(
        DataError, match=r"figure 6 has no measured trial yet[^$]*mlp 1x he_normal: 2 of 2 trials \(2 not run\)"
    ):
        report(path, "6", tmp_path / "out")
    path = fill(figures=["2"])
    with pytest.raises(DataError, match=r"has no sweep that feeds it; run: autoreg sweep sweeps/cifar_init.yaml"):
        report(path, "6", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unknown_figure_is_answered_with_the_known_ones(fill: Fill, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown figure '66'.*allowed: 1a, 1b, 1c, 2, 3, 4, .*B13"):
        report(fill(), "66", tmp_path / "out")


def test_the_latest_sweep_is_shown_unless_another_is_named(fill: Fill, tmp_path: Path) -> None:
    fill()
    path = fill(sweep_id="f" * 16, name="newer", updated_at="2026-02-01T00:00:00+00:00")
    latest = json.loads(report(path, "6", tmp_path / "out")[0][3].read_text(encoding="utf-8"))
    named = json.loads(report(path, "6", tmp_path / "out", sweep="fixture")[0][3].read_text(encoding="utf-8"))
    assert (latest["sweep"], named["sweep"]) == ("newer", "fixture")
    with pytest.raises(ConfigError, match=r"no sweep 'absent' feeds figure 6 .*newer, fixture"):
        report(path, "6", tmp_path / "out", sweep="absent")


def test_only_figures_that_a_sweep_feeds_have_data(fill: Fill) -> None:
    with reading(fill(figures=["6", "B5", "no such figure"])) as connection:
        assert figures_with_data(connection) == ["6", "B5"]


def test_the_split_that_was_measured_is_shown(fill: Fill, tmp_path: Path) -> None:
    view = tmp_path / "mine.sql"
    for splits, shown in ((["train", "train", "validation"], ["validation"]), (["train", "test"], ["test"])):
        view.write_text(f"select sweep_id, unnest({splits}) as split from sweeps")
        with reading(fill()) as connection:
            rows = read_figure(connection, find_figures(str(view))[0])
        assert rows.frame["split"].to_list() == shown


@pytest.mark.parametrize(
    ("network", "dataset", "behind"),
    [
        ("mlp", {"name": "teacher"}, ["Glorot Norm", "He Norm"]),
        ("mlp", {"name": "teacher", "dimensions": 10, "seed": "replicate"}, ["Glorot Norm", "He Norm"]),
        ("mlp", {"name": "teacher", "dimensions": 3}, []),
        ("mlp", {"name": "teacher", "dimensions": 10_000}, []),
        ("alexnet", {"name": "teacher"}, []),
        ("mlp", {"name": "noise"}, []),
    ],
)
def test_the_paper_stands_behind_its_own_network_and_data_only(
    fill: Fill, network: str, dataset: dict[str, Any], behind: list[str]
) -> None:
    data = Choice.model_validate(dataset)
    path = fill(network=network, figures=["B5"], settings={"dataset": data})
    with duckdb.connect(str(path)) as plain:  # the paper's series of B5 are other initializers than the fixture's
        names = {"σ = 0.0001": "Glorot Norm", "σ = 0.01": "He Norm"}
        for paper, ours in names.items():
            plain.execute(
                "update published set series = ?, teacher_examples = 1000 where series = ?"
                " and figure = 'B5' and teacher_examples = 100000",
                [ours, paper],
            )
        if network != "mlp" or dataset["name"] != "teacher":
            plain.execute("update published set teacher_examples = (select min(teacher_examples) from final_trials)")
    with reading(path) as connection:
        rows = read_figure(connection, find_figures("B5")[0])
        compared = query(connection, "select distinct series from table_comparison order by all")
    assert sorted(rows.published["series"].unique()) == compared["series"].to_list() == behind


ALEXNET = {"network": Choice(name="alexnet")}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({**ALEXNET, "dataset": Choice(name="cifar10", options={"train_size": 2000})}, "cifar10(train_size=2000)"),
        ({**ALEXNET, "dataset": Choice(name="cifar10", options={"pictures": "whole"})}, None),
        ({"dataset": Choice(name="teacher", options={"train_size": 2000}), "network": Choice(name="mlp")}, None),
        ({"network": Choice(name="mlp", options={"hidden": 9}), "random_labels": True}, "mlp(hidden=9), random labels"),
        ({"parametrization": "mup", "optimizer": Choice(name="adam"), "weight_decay": 1e-3}, "Adam, Weight Decay, mup"),
        ({"richness": 0.5}, "γ = 0.5"),
    ],
    ids=str,
)
def test_the_picture_says_what_ours_have_and_the_papers_behind_it_have_not(
    fill: Fill, changes: dict[str, Any], said: str | None
) -> None:
    with reading(fill(settings=changes)) as connection:
        rows = read_figure(connection, find_figures("6")[0])
        told = query(connection, "select departures from departures")["departures"].to_list()
        compared = query(connection, "select distinct departures from table_comparison")["departures"].to_list()
    expected = [] if said is None else [f"unlike the paper's, our trials have {said}"]
    assert replace(rows, missing=[], published=pl.DataFrame({"series": ["Glorot Norm"]})).remarks == expected
    assert replace(rows, missing=[], published=pl.DataFrame()).remarks == []
    assert told == [said] * (said is not None)
    assert compared == [said] * ("alexnet" in str(changes))


def test_the_picture_names_the_split_the_definition_and_the_threshold(fill: Fill) -> None:
    [source] = find_figures("6")
    with reading(fill()) as connection:
        rows = read_figure(connection, source, "text")
    assert "\ntest split, text definition" in rows.draw().get_supxlabel()
    other = replace(rows, frame=rows.frame.with_columns(split=pl.lit("train")), threshold=0.2)
    assert "\ntrain split, text definition, similar from |r| = 0.2 on" in other.draw().get_supxlabel()


def test_the_status_counts_what_is_done(fill: Fill) -> None:
    with reading(fill(drop=3)) as connection:
        [row] = sweep_status(connection)
    wanted = {"name": "fixture", "final_trials": 8, "final_done": 5, "measured": 5, "tuning_trials": 0, "failed": 0}
    assert {key: row[key] for key in wanted} == wanted


def test_a_report_imports_neither_torch_nor_ray(fill: Fill, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom autoreg.database.connection import reading\n"
        "from autoreg.report.figure import read_figure\nfrom autoreg.report.figures.source import find_figures\n"
        f"with reading(Path({str(fill())!r})) as connection:\n"
        f"    read_figure(connection, find_figures('6')[0]).write(Path({str(tmp_path / 'out')!r}))\n"
        "print([name for name in ('torch', 'ray', 'optuna') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


def test_an_own_figure_whose_query_fails_while_it_runs_is_one_line(fill: Fill, tmp_path: Path) -> None:
    path = tmp_path / "wrong.sql"
    path.write_text(
        "-- drawing: width_panels auc\nselect sweep_id, cast(series as integer) as width from scores_by_width"
    )
    with pytest.raises(DatabaseError, match=r"a query failed: .*Could not convert"):
        report(fill(), str(path), tmp_path / "out")
