"""The paper's values: read as they are written, under our names, beside the trials that they belong to."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from autoreg.config.sweep import Sweep
from autoreg.config.sweep_file import load_sweep
from autoreg.config.trial import Choice
from autoreg.database.connection import query, reading
from autoreg.database.schema import Connection
from autoreg.database.writer import Writer
from autoreg.packaged import find_sweep, packaged_folder, sweep_names
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.records import TrialResult
from tests.helpers.records import write_record

#: Figures whose curves the authors published in our measures.
COMPARED = ["1a", "1b", "1c", "2", "3", "4", "5", "6", "B1", "B2", "B3", "B4", "B5", "B10", "B11", "B12", "B13"]


def record_of(sweep: Sweep) -> dict[str, Any]:
    """What the run folder says of a sweep whose every setting is trained once; parameters are not counted."""
    groups = sweep.groups()
    return {
        "sweep_id": sweep.sweep_id,
        "name": sweep.name,
        "figures": sweep.figures,
        "definition": sweep.model_dump(mode="json"),
        "updated_at": "2026-01-01T00:00:00+00:00",
        "sweep_groups": [
            {
                "group_id": group.template.config_id, "variant": variant, "network": str(group.template.network),
                "dataset": str(group.template.dataset), "width": group.template.width,
                "epochs": group.lengths[-1], "parameters": 1,
            }
            for group in groups for variant in group.variants
        ],
        "sweep_trials": [
            {"trial_id": made.trial_id, "group_id": group.template.config_id, "kind": "final"}
            for group in groups for made in group.final_trials({}) if made.replicate == 0
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def every_sweep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A results.db that says of every setting of every packaged sweep that it is trained."""
    folder = tmp_path_factory.mktemp("published")
    runs = Runs(folder / "runs")
    writer = Writer(folder / "results.db", runs)
    done = TrialResult(status="done", finished_at="2026-01-01T00:00:00+00:00")
    for name in sweep_names():
        sweep = load_sweep(find_sweep(name)).sweep
        write_record(runs, record_of(sweep))
        writer.queue_sweep(sweep.sweep_id)
        for made in (made for group in sweep.groups() for made in group.final_trials({}) if made.replicate == 0):
            trial = runs.trial(made.trial_id)
            trial.write_config(made)
            trial.write_result(done)
            writer.queue_trial(trial)
    assert writer.commit()
    assert writer.problems == []
    with reading(folder / "results.db") as connection:
        yield connection


def test_every_published_point_has_a_counterpart_in_a_packaged_sweep(every_sweep: Connection) -> None:
    published = query(every_sweep, "select distinct figure, series, width from published_points")
    assert sorted(published["figure"].unique().to_list()) == sorted(COMPARED)
    ours = query(
        every_sweep,
        r"""
        select distinct unnest(figures) as figure, regexp_replace(series, ', \d+ epochs$', '') as series, width
        from final_trials
        union
        select 'B1', series, width from figure_b1
        """,
    )
    assert ours.height > 100
    assert sorted(set(published.rows()) - set(ours.rows())) == []


#: What the authors published that no sweep of ours has a counterpart of, by the beginning of their name for the figure.
UNMATCHED = ["(unpublished) ", "2 (2021 picture: max of 3 samplings)", "B6 "]


def test_every_published_point_has_our_name_or_is_known_to_have_no_counterpart(every_sweep: Connection) -> None:
    unnamed = query(every_sweep, "select distinct paper_figure, metric from published where figure is null").rows()
    assert {name for name, metric in unnamed if not metric.endswith("__errorbar_halflength")} == {
        name for (name,) in query(every_sweep, "select distinct paper_figure from published").rows()
        if name.startswith(tuple(UNMATCHED))
    }  # fmt: skip
    assert query(every_sweep, "select count(*) as n from published where figure is not null and x is null")["n"][0] == 0


def test_no_series_of_a_compared_figure_is_without_a_published_one(every_sweep: Connection) -> None:
    sql = r"""
        with ours as (
            select unnest(figures) as figure, regexp_replace(series, ', \d+ epochs$', '') as series
            from final_trials
        )
        select distinct figure, series
        from ours
        anti join published_points using (figure, series)
        where figure in (select figure from published_points)
        order by all
    """
    alone = query(every_sweep, sql).rows()
    # The paper has one panel of each for two initializers only.
    assert alone == [("2", "He Norm"), ("2", "LeCun Norm"), ("3", "LeCun Norm")]


@pytest.mark.parametrize(
    ("figure", "series", "width", "x", "score", "examples", "value"),
    [
        ("1a", "ResNet18", 0.25, 0.25, "test_accuracy", 0, 0.49385),
        ("1b", "AlexNet-Random", 1, 1, "test_accuracy", 0, 0.10033),
        ("2", "Glorot Norm", 0.25, 0, "unchanged", 0, 0.99998),
        ("3", "He Norm", 0.25, 0.25, "mean_abs_r", 0, 0.095),
        ("4", "Inceptionv3-layer", 0.25, 0.25, "auc", 0, 0.14667633),  # printed; drawn it reads 0.14668
        ("6", "LeCun Norm", 0.25, 0.25, "auc", 0, 0.34304),
        ("6", "He Norm", 0.25, 0.25, "similar_units", 0, 1.0246),
        ("B1", "MLP, 10 dim.", 0.25, 0.25, "parameters", 0, 418),
        ("B2", "ResNet18", 2, 8, "similar_units", 0, 1.93515625),  # printed; drawn it reads 1.9337
        ("B4", "σ = 10000", 0.25, 0.25, "auc", 100_000, 0.75118),
        ("B12", "4096", 0.25, 0.25, "auc", 0, 0.20277),
        ("B13", "ResNet56, k = 0.25", 0.25, 0.25, "similar_units", 0, 0.05861),
    ],
)
def test_a_published_value_is_the_one_in_the_file(
    every_sweep: Connection, figure: str, series: str, width: float, x: float, score: str,
    examples: int, value: float,
) -> None:  # fmt: skip
    points = query(every_sweep, "select * from published_points").filter(
        figure=figure, series=series, width=width, x=x, score=score, teacher_examples=examples, split="test"
    )
    assert points["value"].to_list() == pytest.approx([value])


def test_no_published_point_loses_its_name_width_or_score(every_sweep: Connection) -> None:
    points = query(every_sweep, "select * from published_points")
    assert points.null_count().sum_horizontal().item() == 0
    shares = points.filter(pl.col("score").str.contains("accuracy|auc|unchanged|mean_abs_r"))
    assert shares["value"].is_between(0, 1.005).all()  # read off a picture, a share of 1 may be a little more


def test_the_older_mlp_curves_and_the_newer_ones_are_told_apart(every_sweep: Connection) -> None:
    sql = "select figure, teacher_examples, list(distinct score order by score) from published_points where starts_with"
    rows = query(every_sweep, f"{sql}(figure, 'B') and teacher_examples > 0 group by all order by all").rows()
    accuracies, every = ["test_accuracy", "train_accuracy"], ["auc", "similar_units", "test_accuracy", "train_accuracy"]
    assert rows == [
        ("B11", 1000, accuracies), ("B4", 1000, accuracies), ("B4", 100_000, every), ("B5", 1000, accuracies),
        ("B5", 100_000, every),
    ]  # fmt: skip


def test_the_published_values_are_there_for_a_plain_client(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder]
) -> None:
    writer = Writer(tmp_path / "results.db", runs)
    writer.queue_trial(trial())
    assert writer.commit()
    lines = (packaged_folder("reference") / "published.csv").read_text(encoding="utf-8").splitlines()
    with duckdb.connect(str(tmp_path / "results.db"), read_only=True) as plain:
        assert plain.execute("select count(*) from published").fetchone() == (len(lines) - 1,)
        sql = "select value from published_points where figure = '1a' and series = 'ResNet18' and width = 4"
        assert plain.execute(sql).fetchall() == [(pytest.approx(0.76089),)]


def test_the_comparison_sets_a_trial_beside_its_published_value(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    fields = {"network": Choice(name="alexnet"), "dataset": Choice(name="cifar10")}
    folders = [
        trial(unchanged=(1.0, middle, 0.1), **fields, initializer=Choice(name=name), replicate=replicate)
        for name in ("he_normal", "glorot_normal") for replicate, middle in enumerate((0.2, 0.4))
    ]  # fmt: skip
    write_record(runs, sweep_record(folders, ["6", "1c"]))
    writer = Writer(tmp_path / "results.db", runs)
    writer.queue_sweep("0123456789abcdef")
    for folder in folders:
        writer.queue_trial(folder)
    assert writer.commit()
    with reading(tmp_path / "results.db") as connection:
        frame = query(connection, "select * from table_comparison")
    assert frame.select("figure", "series", "score").sort("figure", "series", "score").rows() == [
        (figure, series, score)
        for figure, scores in (("1c", ["test_accuracy", "train_accuracy"]), ("6", ["auc", "similar_units"]))
        for series in ("Glorot Norm", "He Norm") for score in scores
    ]  # fmt: skip
    assert frame["width"].unique().to_list() == [0.25]
    [row] = frame.filter(figure="6", series="He Norm", score="auc").to_dicts()
    ours = ((1 + 0.2 + 0.1) / 3 + (1 + 0.4 + 0.1) / 3) / 2
    assert (row["paper"], row["ours"]) == (pytest.approx(0.30877), pytest.approx(ours))
    assert row["difference"] == pytest.approx(ours - 0.30877)
    assert (row["replicates"], row["replicate_std"]) == (2, pytest.approx(0.1 / 3))
