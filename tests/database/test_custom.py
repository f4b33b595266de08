"""The table of a custom metric has what is current: of each trial, what the latest sweep with it asks for."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from autoreg.config.trial import measurement_id
from autoreg.database.connection import STORAGE, query, reading
from autoreg.database.verify import verify
from autoreg.database.writer import Writer, rebuild
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.measurements import write_measurement
from tests.helpers.records import write_record

MakeTrial = Callable[..., TrialFolder]
NAME = "things:activity"


def measured(
    folder: TrialFolder, version: int, share: float, split: str = "test", name: str = NAME, **more: Any
) -> dict[str, str]:
    """Write a measurement of the metric, and return how a sweep asks for it."""
    identity = measurement_id(name, version, split, {})
    facts = {"metric": name, "version": str(version), "split": split, "options": "{}"}
    frame = pl.DataFrame({"split": [split], "layer": ["conv"], "share": [share], **more})
    write_measurement(folder.measurement_path(name, identity), frame, facts)
    return {"metric": name, "split": split, "measurement_id": identity}


@pytest.fixture
def ask(runs: Runs, sweep_record: Callable[..., Any]) -> Callable[..., None]:
    """Record that a sweep over some trials asks for measurements of the metric."""

    def write(folders: list[TrialFolder], *asked: dict[str, str], **changes: Any) -> None:
        write_record(runs, {**sweep_record(folders), "sweep_measurements": list(asked), **changes})

    return write


def shares(path: Path, table: str = "things_activity") -> list[tuple[Any, ...]]:
    with reading(path) as connection:
        return query(connection, f'select trial_id, share from "{table}" order by all').rows()


def test_a_new_version_takes_the_place_of_the_old_one_and_an_older_one_can_come_back(
    tmp_path: Path, runs: Runs, trial: MakeTrial, ask: Callable[..., None]
) -> None:
    folders = [trial(replicate=replicate) for replicate in range(3)]
    path, ids = tmp_path / "results.db", sorted(folder.trial_id for folder in folders)
    first = [measured(folder, 1, 0.25) for folder in folders].pop()
    ask(folders, first)
    rebuild(path, runs)
    assert shares(path) == [(trial_id, 0.25) for trial_id in ids]
    second = [measured(folder, 2, 0.75, deviation=[0.1]) for folder in folders].pop()  # with one more column
    ask(folders, second)
    writer = Writer(path, runs)
    writer.queue_sweep("0123456789abcdef")
    for folder in folders:
        writer.queue_trial(folder)
    assert writer.commit()
    assert writer.problems == []
    assert shares(path) == [(trial_id, 0.75) for trial_id in ids]
    assert shares(path, "things_activity version 1") == [(trial_id, 0.25) for trial_id in ids]
    with reading(path) as connection:
        joined = query(
            connection, "select avg(share), count(*) from final_trials join things_activity using (trial_id)"
        )
    assert joined.rows() == [(0.75, 3)]
    assert verify(path, runs) == []
    ask(folders, first)  # the user went back
    writer.queue_sweep("0123456789abcdef")
    assert writer.commit()
    rebuild(tmp_path / "again.db", runs)
    for database in (path, tmp_path / "again.db"):
        assert shares(database) == [(trial_id, 0.25) for trial_id in ids]


def test_what_is_asked_for_and_not_measured_yet_is_not_replaced_by_an_older_version(
    tmp_path: Path, runs: Runs, trial: MakeTrial, ask: Callable[..., None]
) -> None:
    old, new = trial(), trial(replicate=1)
    measured(old, 1, 0.25)
    ask([old, new], measured(new, 2, 0.75))
    rebuild(tmp_path / "results.db", runs)
    assert shares(tmp_path / "results.db") == [(new.trial_id, 0.75)]


def test_a_trial_that_two_sweeps_share_is_there_once_as_the_later_one_asks(
    tmp_path: Path, runs: Runs, trial: MakeTrial, ask: Callable[..., None]
) -> None:
    alone, shared = trial(), trial(replicate=1)
    measured(alone, 1, 0.25)
    first, second = measured(shared, 1, 0.25), measured(shared, 2, 0.75)
    for one, asked, day in (("a" * 16, second, 2), ("b" * 16, first, 1)):
        ask([shared] if day == 2 else [alone, shared], asked, sweep_id=one, updated_at=f"2026-01-0{day}T00:00:00+00:00")
    rebuild(tmp_path / "results.db", runs)
    assert shares(tmp_path / "results.db") == [(shared.trial_id, 0.75)]


def test_without_a_sweeps_record_the_newest_version_counts(tmp_path: Path, runs: Runs, trial: MakeTrial) -> None:
    folder = trial()
    for version in (1, 10, 9):
        measured(folder, version, version / 100)
    rebuild(tmp_path / "results.db", runs)
    assert shares(tmp_path / "results.db") == [(folder.trial_id, 0.1)]


def test_a_metric_may_be_named_as_tables_of_sweeps_are(tmp_path: Path, runs: Runs, trial: MakeTrial) -> None:
    measured(trial(), 1, 0.25, name="sweep_metrics:sparsity")
    rebuild(tmp_path / "results.db", runs)
    assert verify(tmp_path / "results.db", runs) == []


@pytest.mark.parametrize(("one", "other"), [("a.b:c", "a_b:c"), ("a:b_c", "a_b:c"), ("a:b", "A:b"), ("a.b:c", "a:b.c")])
def test_two_metrics_never_share_a_table(tmp_path: Path, runs: Runs, trial: MakeTrial, one: str, other: str) -> None:
    first, second = trial(), trial(replicate=1)
    measured(first, 1, 0.25, name=one)
    rebuild(tmp_path / "results.db", runs)
    measured(second, 1, 0.75, name=other)
    writer = Writer(tmp_path / "results.db", runs)
    for folder in (first, second):
        writer.queue_trial(folder)
    writer.commit()
    [problem] = writer.problems
    assert problem.startswith(f"trial {second.trial_id} is left out")
    assert f"{other} and {one} have one table" in problem
    measured(first, 1, 0.75, name=other)
    assert rebuild(tmp_path / "again.db", runs)[0] <= 1


def test_a_trial_that_was_trained_again_keeps_no_row_of_before(
    tmp_path: Path, runs: Runs, trial: MakeTrial, ask: Callable[..., None]
) -> None:
    folder, path = trial(), tmp_path / "results.db"
    ask([folder], measured(folder, 1, 0.25))
    rebuild(path, runs)
    folder.write_result(folder.read_result().model_copy(update={"finished_at": "2026-01-02T00:00:00+00:00"}))
    shutil.rmtree(folder.measurements)
    measured(folder, 1, 0.5)
    writer = Writer(path, runs)
    writer.queue_trial(folder)
    assert writer.commit()
    assert shares(path, "things_activity version 1") == shares(path) == [(folder.trial_id, 0.5)]


@pytest.mark.parametrize("values", [[1, 0.25], [0.25, 1], [None, 0.25], [True, 0.25], [[1], [0.25]]])
def test_a_trial_with_whole_numbers_rounds_no_other(
    tmp_path: Path, runs: Runs, trial: MakeTrial, values: list[Any]
) -> None:
    path, writer = tmp_path / "results.db", Writer(tmp_path / "results.db", runs)
    for replicate, value in enumerate(values):
        measured(folder := trial(replicate=replicate), 1, 0.5, value=[value])
        writer.queue_trial(folder)
        assert writer.commit()
    assert writer.problems == []
    rebuild(tmp_path / "at_once.db", runs)
    for database in (path, tmp_path / "at_once.db"):
        with reading(database) as connection:
            rows = query(connection, "select value from things_activity order by trial_id")["value"].to_list()
        assert rows == values
    assert verify(path, runs) == []


def test_the_mixed_table_of_the_version_before_is_parted(
    tmp_path: Path, runs: Runs, trial: MakeTrial, ask: Callable[..., None]
) -> None:
    folder, path = trial(), tmp_path / "results.db"
    measured(folder, 1, 0.25)
    ask([folder], measured(folder, 2, 0.75))
    rebuild(path, runs)
    with duckdb.connect(str(path), config={"storage_compatibility_version": STORAGE}) as connection:
        connection.execute("""
            drop view things_activity;
            create table things_activity as
                from "things_activity version 1" union all by name from "things_activity version 2";
            drop table "things_activity version 1";
            drop table "things_activity version 2";
            alter table measurements drop column digest;
            update schema_info set schema_version = 3, views_hash = 'of version 3';
        """)
    mixed = path.read_bytes()
    writer = Writer(path, runs)
    writer.queue_trial(folder)
    assert writer.commit()
    assert shares(path) == [(folder.trial_id, 0.75)]
    assert shares(path, "things_activity version 1") == [(folder.trial_id, 0.25)]
    assert verify(path, runs) == []
    path.write_bytes(mixed)
    assert rebuild(path, runs) == (1, [])
    assert shares(path) == [(folder.trial_id, 0.75)]
    assert verify(path, runs) == []
