"""results.db: derived from the run folder, row for row, however often it is written."""

import multiprocessing
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from autoreg.config.trial import TrialConfig, measurement_id
from autoreg.database import connection as results_db
from autoreg.database.connection import query, reading
from autoreg.database.schema import SCHEMA_VERSION
from autoreg.database.writer import Writer, rebuild
from autoreg.errors import DatabaseError, DataError
from autoreg.files import write_atomically
from autoreg.packaged import packaged_folder
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.records import TrialResult
from tests.helpers.database import contents
from tests.helpers.records import write_record

MakeTrial = Callable[..., TrialFolder]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.db"


def write(path: Path, runs: Runs, folders: list[TrialFolder]) -> Writer:
    writer = Writer(path, runs)
    for folder in folders:
        writer.queue_trial(folder)
    assert writer.commit(patience=10)
    return writer


def test_rows_are_what_the_run_folder_says(path: Path, runs: Runs, trial: MakeTrial) -> None:
    folder = trial(similar=((1, None), (3, 3)), learning_rate=0.01, lr_batch_factor=4.0)
    write(path, runs, [folder])
    with reading(path) as connection:
        [row] = query(connection, "select * from trials").to_dicts()
        assert row["trial_id"] == folder.trial_id
        assert (row["kind"], row["network"], row["width"], row["initializer"]) == ("final", "mlp", 0.25, "he_normal")
        assert (row["learning_rate"], row["batch_size"], row["lr_batch_factor"]) == (0.04, 200, 4.0)
        assert (row["status"], row["error"], row["test_accuracy"]) == ("done", None, 0.5)
        [epoch] = query(connection, "select * from epochs").to_dicts()
        assert epoch["validation_loss"] is None
        units = query(
            connection, "select layer, unit, similar_units, dead from units where sample = 0 order by layer, unit"
        )
        assert units.rows() == [
            ("conv", 0, 1, False),
            ("conv", 1, None, True),
            ("full", 0, 3, False),
            ("full", 1, 3, False),
        ]
        pairs = query(
            connection, "select bin_low, bin_high, pairs from correlations where layer = 'conv' and sample = 0"
        )
        assert pairs.sort("bin_low").rows() == [(0.25, 0.26, 3), (0.75, 0.76, 1)]
        assert query(connection, "select count(*) as n from ablation")["n"][0] == 6 * 2 * 3


def test_writing_again_adds_nothing(path: Path, runs: Runs, trial: MakeTrial) -> None:
    folders = [trial(replicate=replicate) for replicate in range(3)]
    write(path, runs, folders)
    before = contents(path)
    write(path, runs, folders)
    assert contents(path) == before


def test_a_measurement_that_comes_later_is_added(path: Path, runs: Runs, trial: MakeTrial) -> None:
    folder = trial()
    similarity = next(found for found in folder.measurement_paths() if "similarity" in found.name)
    aside = similarity.with_name("aside")
    similarity.rename(aside)
    write(path, runs, [folder])
    assert contents(path)["units"] == []
    aside.rename(similarity)
    write(path, runs, [folder])
    assert len(contents(path)["units"]) == 2 * 2 * 2
    assert len(contents(path)["trials"]) == 1


def test_a_trial_that_was_tried_again_replaces_its_failure(path: Path, runs: Runs, trial: MakeTrial) -> None:
    folder = trial()
    result = folder.read_result()
    failed = TrialResult(status="failed", error="RuntimeError: no", finished_at="2025-12-31T00:00:00+00:00")
    folder.write_result(failed)
    write(path, runs, [folder])
    assert contents(path)["epochs"] == []
    folder.write_result(result)
    write(path, runs, [folder])
    with reading(path) as connection:
        assert query(connection, "select status, error from trials").rows() == [("done", None)]
        assert len(contents(path)["epochs"]) == 1


def test_rebuild_gives_the_same_rows_and_leaves_the_run_folder_alone(
    path: Path, runs: Runs, trial: MakeTrial, sweep_record: Callable[..., Any]
) -> None:
    folders = [trial(replicate=replicate) for replicate in range(3)]
    write_record(runs, sweep_record(folders))
    writer = Writer(path, runs)
    for folder in folders:
        writer.queue_trial(folder)
    writer.queue_sweep("0123456789abcdef")
    writer.commit()
    before = contents(path)
    stamps = {file: file.stat().st_mtime_ns for file in runs.root.rglob("*")}
    path.write_bytes(b"ruined")
    assert rebuild(path, runs) == (3, [])
    assert contents(path) == before
    assert {file: file.stat().st_mtime_ns for file in runs.root.rglob("*")} == stamps
    assert not [file for file in path.parent.iterdir() if "rebuild" in file.name]


def test_rebuild_replaces_what_a_link_leads_to(path: Path, runs: Runs, trial: MakeTrial) -> None:
    write(path, runs, [trial()])
    link = path.with_name("link.db")
    link.symlink_to(path)
    assert rebuild(link, runs) == (1, [])
    assert link.is_symlink()
    assert len(contents(path)["trials"]) == 1


def test_rebuild_has_what_a_sweep_wrote_while_it_waited_for_its_turn(
    path: Path, runs: Runs, trial: MakeTrial, sweep_record: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    early, lock = trial(replicate=0), results_db.writer_lock

    @contextmanager
    def late(*arguments: Any, **how: Any) -> Iterator[None]:
        write_record(runs, sweep_record([early, trial(replicate=1)]))
        with lock(*arguments, **how):
            yield

    monkeypatch.setattr(results_db, "writer_lock", late)
    assert rebuild(path, runs) == (2, [])
    assert len(contents(path)["sweeps"]) == 1


def test_a_users_own_metric_gets_a_table_of_its_own(path: Path, runs: Runs, trial: MakeTrial) -> None:
    folder = trial()
    frame = pl.DataFrame({"split": ["test"], "layer": ["conv"], "sparsity": [0.25]})
    facts = {"metric": "mymetrics:sparsity", "version": "1", "split": "test", "options": "{}"}
    identity = measurement_id("mymetrics:sparsity", 1, "test", {})
    target = folder.measurement_path("mymetrics:sparsity", identity)
    write_atomically(target, lambda temporary: frame.write_parquet(temporary, metadata=facts))
    write(path, runs, [folder])
    with reading(path) as connection:
        rows = query(connection, "select * from mymetrics_sparsity").rows()
        assert rows == [(folder.trial_id, identity, "test", "conv", 0.25)]


def _hold(path: Path, seconds: float, holding: Any) -> None:
    connection = duckdb.connect(str(path), read_only=True)
    holding.set()
    time.sleep(seconds)
    connection.close()


def test_what_cannot_be_written_while_a_shell_is_open_waits(path: Path, runs: Runs, trial: MakeTrial) -> None:
    write(path, runs, [trial()])
    context = multiprocessing.get_context("spawn")
    holding = context.Event()
    shell = context.Process(target=_hold, args=(path, 1.5, holding))
    shell.start()
    holding.wait(20)
    writer = Writer(path, runs)
    writer.queue_trial(trial(replicate=1))
    assert not writer.commit()
    assert writer.pending == 1
    assert writer.commit(patience=20)
    shell.join()
    assert len(contents(path)["trials"]) == 2


def test_a_reader_waits_politely_and_then_names_the_holder(path: Path, runs: Runs, trial: MakeTrial) -> None:
    write(path, runs, [trial()])
    code = f"import duckdb, time; c = duckdb.connect({str(path)!r}); print('open', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        with (
            pytest.raises(DatabaseError, match=rf"held by another process: .*{holder.pid}"),
            reading(path, patience=0.2),
        ):
            pass
    finally:
        holder.kill()
        holder.wait()
    holder.stdout.close()


@pytest.mark.parametrize("damage", ["text", "truncated", "other database", "newer", "missing"])
def test_a_database_that_is_none_of_ours_is_refused_with_advice(
    path: Path, runs: Runs, trial: MakeTrial, damage: str
) -> None:
    write(path, runs, [trial()])
    if damage == "text":
        path.write_text("this is no database")
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "missing":
        path.unlink()
    else:
        if damage == "other database":
            path.unlink()
        connection = duckdb.connect(str(path))
        if damage == "newer":
            connection.execute("update schema_info set schema_version = ?", [SCHEMA_VERSION + 1])
        else:
            connection.execute("create table something (x integer)")
        connection.close()
    expected = {
        "text": "autoreg rebuild", "truncated": "autoreg rebuild", "missing": "does not exist",
        "other database": "not a results database", "newer": "update autoreg",
    }  # fmt: skip
    with pytest.raises(DataError if damage == "missing" else DatabaseError, match=expected[damage]), reading(path):
        pass
    if damage == "newer":
        writer = Writer(path, runs)
        writer.queue_trial(trial(replicate=1))
        with pytest.raises(DatabaseError, match="update autoreg"):
            writer.commit()


def test_a_damaged_trial_leaves_no_row_and_does_not_keep_the_others_out(
    path: Path, runs: Runs, trial: MakeTrial
) -> None:
    good, bad, last = (trial(replicate=replicate) for replicate in range(3))
    bad.measurement_paths()[1].write_bytes(b"PAR1 damaged")
    writer = Writer(path, runs)
    for folder in (good, bad, last):
        writer.queue_trial(folder)
    assert writer.commit()
    [problem] = writer.problems
    assert f"trial {bad.trial_id} is left out of the database" in problem
    assert "is damaged; remove it" in problem
    rows = contents(path)
    assert {row[0] for row in rows["trials"]} == {good.trial_id, last.trial_id}
    assert {row[0] for row in rows["ablation"]} == {good.trial_id, last.trial_id}
    count, problems = rebuild(path, runs)
    assert (count, len(problems)) == (2, 1)


def test_a_trial_that_was_found_damaged_since_waits_until_it_is_trained_again(
    path: Path, runs: Runs, trial: MakeTrial
) -> None:
    good, bad = trial(), trial(replicate=1)
    writer = Writer(path, runs)
    for folder in (good, bad):
        writer.queue_trial(folder)
    bad.discard("checkpoint.pt was damaged")
    assert writer.commit()
    assert writer.problems == []
    assert {row[0] for row in contents(path)["trials"]} == {good.trial_id}
    writer.queue_trial(trial(replicate=1))
    assert writer.commit()
    assert {row[0] for row in contents(path)["trials"]} == {good.trial_id, bad.trial_id}


def test_the_file_is_in_the_format_that_the_command_line_client_opens(path: Path, runs: Runs, trial: MakeTrial) -> None:
    write(path, runs, [trial()])
    client = shutil.which("duckdb", path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin")
    assert client, "the tests install duckdb-cli"
    answer = subprocess.run(
        [client, "-readonly", "-csv", str(path), "select count(*) as n from trials"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split() == ["n", "1"]
    views = sorted(view.stem for view in packaged_folder("analysis_sql").glob("*/*.sql"))
    counts = "".join(f"select '{view}', count(*) from {view};" for view in views)
    ended = subprocess.run([client, "-readonly", "-csv", "-noheader", path, counts], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert [line.split(",")[0] for line in ended.stdout.splitlines()] == views


def test_configs_and_ids_agree_for_every_row(path: Path, runs: Runs, trial: MakeTrial) -> None:
    write(path, runs, [trial(width=width) for width in (0.25, 1.0)])
    with reading(path) as connection:
        for trial_id, text in query(connection, "select trial_id, config::varchar from trials").iter_rows():
            assert TrialConfig.model_validate_json(text).trial_id == trial_id


@pytest.mark.parametrize("damage", ["config", "result", "pages", "not parquet"])
def test_whatever_is_damaged_the_other_trials_are_written(
    path: Path, runs: Runs, trial: MakeTrial, damage: str
) -> None:
    bad, good = trial(), trial(replicate=1)
    measurement = bad.measurement_paths()[0]
    whole = measurement.read_bytes()
    if damage == "pages":
        measurement.write_bytes(whole[:4] + bytes(len(whole) // 3) + whole[4 + len(whole) // 3 :])
    elif damage == "not parquet":
        measurement.write_text("text")
    else:
        (bad.config_path if damage == "config" else bad.result_path).write_text("{")
    writer = write(path, runs, [bad, good])
    assert len(writer.problems) == 1
    assert {row[0] for row in contents(path)["trials"]} == {good.trial_id}


def test_a_file_in_a_folder_called_lock_is_still_no_database(runs: Runs, tmp_path: Path) -> None:
    path = tmp_path / "block" / "results.db"
    path.parent.mkdir()
    path.write_text("no database")
    with pytest.raises(DatabaseError, match="autoreg rebuild"), reading(path, patience=0):
        pass
