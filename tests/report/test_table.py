"""Tables of results.db: three files each, all digits in the CSV."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from autoreg.config.trial import Choice
from autoreg.database.connection import reading
from autoreg.database.writer import Writer, rebuild
from autoreg.errors import ConfigError, DataError
from autoreg.packaged import RICHNESS, table_names
from autoreg.report.table import read_table
from autoreg.runs.folder import Runs, TrialFolder
from tests.conftest import COMPRESSED
from tests.helpers.records import write_record


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


@pytest.mark.parametrize("name", sorted({*table_names()} - {RICHNESS}))
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
