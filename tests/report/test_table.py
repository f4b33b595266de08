"""Tables of results.db: three files each, all digits in the CSV."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from autoreg.config.trial import Choice, canonical_json, measurement_id
from autoreg.database.connection import reading
from autoreg.database.writer import Writer, rebuild
from autoreg.errors import ConfigError, DataError
from autoreg.packaged import RICHNESS, table_names
from autoreg.report import table
from autoreg.report.table import read_table
from autoreg.runs.folder import Runs, TrialFolder
from tests.conftest import COMPRESSED, IDS
from tests.helpers.records import plant_result, write_record


def report(database: Path, name: str, out: Path) -> list[Path]:
    with reading(database) as connection:
        return read_table(connection, name).write(out)


@pytest.fixture
def database(tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]) -> Path:
    """AlexNets of two initializers at two widths, two of each, as figure 6 shows them."""
    path = tmp_path / "results.db"
    folders = [
        trial(
            network=Choice(name="alexnet"), dataset=Choice(name="cifar10"), initializer=Choice(name=name),
            width=width, replicate=replicate, compressed=COMPRESSED,
        )
        for name in ("he_normal", "glorot_normal") for width in (0.25, 1.0) for replicate in (0, 1)
    ]  # fmt: skip
    write_record(runs, sweep_record(folders))
    writer = Writer(path, runs)
    writer.queue_sweep("0123456789abcdef")
    for folder in folders:
        writer.queue_trial(folder)
    assert writer.commit()
    return path


@pytest.mark.parametrize("name", sorted({*table_names()} - {RICHNESS, "precision"}))
def test_every_table_is_written_as_markdown_csv_and_latex(database: Path, tmp_path: Path, name: str) -> None:
    paths = report(database, name, tmp_path / "out")
    assert [path.name for path in paths] == [f"table_{name}.{kind}" for kind in ("md", "csv", "tex")]
    markdown, latex = (path.read_text(encoding="utf-8") for path in (paths[0], paths[2]))
    frame = pl.read_csv(paths[1])
    assert frame.height > 0
    assert "sweep_id" in frame.columns
    assert "sweep_id" not in markdown
    shown = len(markdown.splitlines()) - 2
    assert 0 < shown <= frame.height
    assert latex.count(r" \\") == shown + 1


def test_table_richness_has_a_row_for_each_surgery_of_a_sweep_over_richness(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    folders = [
        trial(richness=gamma, width=width, replicate=replicate, compressed=COMPRESSED)
        for gamma in (0.1, 1.0, 10.0) for width in (0.25, 0.5, 1.0) for replicate in (0, 1)
    ]  # fmt: skip
    write_record(runs, sweep_record(folders))
    rebuild(tmp_path / "results.db", runs)
    frame = pl.read_csv(report(tmp_path / "results.db", RICHNESS, tmp_path / "out")[1]).filter(tolerance=0.99)
    # every network keeps the same share of its units
    assert frame.select("surgery", "verdict", "change", "replicates").rows() == [
        (surgery, "does not fall", 0.0, 2) for surgery in ("drop", "either", "merge", "rebuild")
    ]


def test_table_precision_has_the_scores_of_trials_that_differ_in_nothing_else_side_by_side(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    reduced = [
        trial(unchanged=(1.0, 0.5 + 0.1 * replicate, 0.1), replicate=replicate, precision="bfloat16")
        for replicate in (0, 1, 2)
    ]  # fmt: skip
    exact = [trial(replicate=1), trial(replicate=2, learning_rate=0.2), trial(replicate=2, width=1.0)]
    plant_result(exact[0], test_accuracy=0.53)
    other = trial(replicate=0)  # of another threshold of similarity
    path, options = other.measurement_path("similarity", IDS["similarity"]), {"threshold": 0.4}
    identity = measurement_id("similarity", 1, "test", options)
    facts = {"metric": "similarity", "version": "1", "split": "test", "options": canonical_json(options)}
    pl.read_parquet(path).write_parquet(other.measurement_path("similarity", identity), metadata=facts)
    path.unlink()
    record = sweep_record([other])
    record["sweep_measurements"].append({"metric": "similarity", "split": "test", "measurement_id": identity})
    write_record(runs, {**sweep_record(reduced), "name": "bfloat16"})
    write_record(runs, {**sweep_record(exact), "sweep_id": "1" * 16})
    write_record(runs, {**record, "sweep_id": "2" * 16})
    assert rebuild(tmp_path / "results.db", runs) == (7, [])
    frame = pl.read_csv(report(tmp_path / "results.db", "precision", tmp_path / "out")[1])
    assert frame["config_id"].unique().to_list() == [reduced[0].read_config().config_id]
    # AUC: means of three points, of which the middle one is 0.5, 0.6, 0.7 in bfloat16 and 0.5 in float32
    spread = pytest.approx((2 / 3) ** 0.5 * 0.1 / 3)
    assert {row[0]: row[1:] for row in frame.select(
        "score", "sweep", "precision", "float32", "reduced", "difference", "float32_std", "reduced_std", "pairs",
        "float32_replicates", "reduced_replicates",
    ).rows()} == {
        "test_accuracy": ("bfloat16", "bfloat16", 0.515, 0.5, pytest.approx(-0.015), pytest.approx(0.015), 0, 2, 2, 3),
        "train_accuracy": ("bfloat16", "bfloat16", 0.7, 0.7, 0, 0, 0, 2, 2, 3),
        "auc": ("bfloat16", "bfloat16", pytest.approx(1.6 / 3), pytest.approx(0.55), pytest.approx(0.05 / 3), 0, spread,
                2, 2, 3),
        "similar_units": ("bfloat16", "bfloat16", 0.75, 0.75, 0, 0, 0, 1, 1, 3),
    }  # fmt: skip


def test_table_1_has_a_row_for_each_series_and_width(database: Path, tmp_path: Path) -> None:
    frame = pl.read_csv(report(database, "1", tmp_path / "out")[1])
    assert frame.select("series", "width", "replicates", "test_accuracy").rows() == [
        (series, width, 2, 0.5) for series in ("Glorot Norm", "He Norm") for width in (0.25, 1.0)
    ]


def test_an_unknown_table_is_answered_with_the_known_ones(database: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"unknown table 'comparisn'; did you mean 'comparison'\? \(allowed: 1, capacity, cla"
    ):
        report(database, "comparisn", tmp_path / "out")


def test_a_table_without_a_row_is_said_and_not_written(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder]
) -> None:
    writer = Writer(tmp_path / "results.db", runs)
    writer.queue_trial(trial())
    assert writer.commit()
    for name in table_names():
        with pytest.raises(DataError, match=f"table {name} has no row yet"):
            report(tmp_path / "results.db", name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("splits", "shown"), [(["train", "validation"], "validation"), (["train", "test"], "test")])
def test_a_table_is_of_the_split_that_figures_show(splits: list[str], shown: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table widths as select 's' as sweep_id, unnest(?) as split", [splits])
        assert table._of_one_split(connection, "widths", ["s"])["split"].to_list() == [shown]
