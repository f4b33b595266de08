"""Whatever happens to results.db: it opens with the right rows or says why not, and can be made again."""

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from autoreg.database.connection import query, reading
from autoreg.database.queries import sweep_status
from autoreg.database.schema import SCHEMA_VERSION
from autoreg.database.verify import verify
from autoreg.database.writer import Writer, rebuild
from autoreg.errors import AutoregError, DamagedDatabase, DatabaseError, DataError
from autoreg.runs.folder import Runs, TrialFolder
from tests.helpers.database import contents
from tests.helpers.promises import Promise
from tests.helpers.records import write_record

MakeTrial = Callable[..., TrialFolder]


@pytest.fixture
def whole(runs: Runs, trial: MakeTrial, sweep_record: Callable[..., dict[str, Any]], tmp_path: Path) -> Path:
    """A database of four trials of a sweep."""
    folders = [trial(replicate=replicate, width=width) for replicate in range(2) for width in (0.25, 1.0)]
    write_record(runs, sweep_record(folders))
    path = tmp_path / "results.db"
    rebuild(path, runs)
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def looked_at(path: Path, expected: dict[str, list[Any]]) -> str:
    """Open the database as commands do; say whether it was refused with advice, or has the right or wrong rows."""
    try:
        with reading(path) as connection:
            sweep_status(connection)
            query(connection, "select * from auc")
            query(connection, "select * from units")
        return "right" if contents(path) == expected else "wrong"
    except AutoregError as error:
        has_advice = len(str(error).splitlines()) == 1 and "autoreg rebuild" in str(error)
        return "refused" if has_advice else f"refused without advice: {error}"
    except duckdb.Error:  # `contents` reads every table with DuckDB alone
        return "refused"


def verified(path: Path, runs: Runs) -> bool:
    try:
        return verify(path, runs) == []
    except AutoregError:
        return False


def check(path: Path, runs: Runs, expected: dict[str, list[Any]]) -> str:
    """Look at a damaged database, verify it and make it again; return how the damage was noticed."""
    how = looked_at(path, expected)
    assert how == "right" or not verified(path, runs), "what is wrong and opens is found by verify"
    assert rebuild(path, runs) == (4, [])
    assert contents(path) == expected
    return how


def damages(content: bytes, cuts: int, flips: int) -> Iterator[bytes]:
    """Yield the file cut at ends of blocks and anywhere, and with one to three bits changed anywhere."""
    rng = random.Random(0)
    for cut in range(cuts):
        yield content[: rng.randrange(len(content)) // (4096 if cut % 2 else 1) * (4096 if cut % 2 else 1)]
    for flip in range(flips):
        changed = bytearray(content)
        for _ in range(1 + flip % 3):
            changed[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        yield bytes(changed)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("cuts", "flips"), [(3, 5), pytest.param(60, 200, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_no_damage_to_the_file_goes_unnoticed_and_every_row_comes_back(
    whole: Path, runs: Runs, cuts: int, flips: int, promise: Promise
) -> None:
    expected, before, content = contents(whole), files(runs.root), whole.read_bytes()
    seen = []
    for damaged in damages(content, cuts, flips):
        whole.write_bytes(damaged)
        seen.append(check(whole, runs, expected))
    assert len(seen) == cuts + flips
    assert set(seen) <= {"right", "wrong", "refused"}
    assert seen.count("refused") > cuts
    assert files(runs.root) == before
    promise(
        "results.db can always be opened, or the error says why; rebuild restores every row",
        "0 unnoticed, 0 rows lost, run folder untouched",
        f"{len(seen)} damages: {seen.count('refused')} told on opening, {seen.count('wrong')} by verify only, "
        f"{seen.count('right')} harmless; all rows back each time",
    )


def test_a_deleted_database_is_named_and_comes_back(whole: Path, runs: Runs) -> None:
    expected = contents(whole)
    whole.unlink()
    with (
        pytest.raises(DataError, match=r"results.db does not exist; a sweep makes it, or `autoreg rebuild`"),
        reading(whole),
    ):
        pass
    assert check(whole, runs, expected) == "refused"
    assert verify(whole, runs) == []


@pytest.mark.parametrize("log", [b"", b"no log at all", bytes(5000)])
def test_a_damaged_log_beside_it_does_no_harm_or_is_told(whole: Path, runs: Runs, log: bytes) -> None:
    expected = contents(whole)
    whole.with_name("results.db.wal").write_bytes(log)
    check(whole, runs, expected)
    assert not whole.with_name("results.db.wal").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (f"update schema_info set schema_version = {SCHEMA_VERSION + 1}", "update autoreg"),
        ("update schema_info set schema_version = 1", "autoreg rebuild"),
        ("drop table schema_info", "is not a results database"),
        ("drop table units cascade", "autoreg rebuild"),
    ],
)
def test_another_versions_tables_are_refused_with_what_to_do(
    whole: Path, runs: Runs, change: str, message: str
) -> None:
    expected = contents(whole)
    connection = duckdb.connect(str(whole))
    connection.execute(change)
    connection.close()
    with pytest.raises(DatabaseError, match=message), reading(whole):
        pass
    writer = Writer(whole, runs)
    for folder in runs.trials():
        writer.queue_trial(folder)
    if "schema_version = 1" not in change:  # what an older version lacks, the writer adds
        with pytest.raises(DatabaseError, match=message):
            writer.commit()
        assert (writer.pending, writer.problems) == (4, []), "no trial is to blame"
    assert rebuild(whole, runs) == (4, [])
    assert contents(whole) == expected


@pytest.mark.parametrize("content", [b"", b"no database", bytes(20_000)])
def test_a_file_that_is_no_database_is_refused(whole: Path, runs: Runs, content: bytes) -> None:
    whole.write_bytes(content)
    with pytest.raises(DatabaseError), reading(whole):
        pass
    assert rebuild(whole, runs) == (4, [])


def test_rows_that_are_gone_changed_or_strange_are_named(whole: Path, runs: Runs) -> None:
    first, second, third, _ = runs.trials()
    before = files(runs.root)
    connection = duckdb.connect(str(whole))
    connection.execute("delete from ablation where trial_id = ? and sample = 1", [first.trial_id])
    connection.execute("update trials set test_accuracy = 0.9 where trial_id = ?", [second.trial_id])
    connection.execute("insert into layers values ('nobody-r0', 0, 'x', 1, 1)")
    connection.execute("delete from sweeps")
    connection.close()
    content = whole.read_bytes()
    lines = verify(whole, runs)
    assert lines == sorted([
        "sweep 0123456789abcdef: rows are missing: 1 of sweeps",
        "trial nobody-r0: rows that the run folder does not have: 1 of layers",
        f"trial {first.trial_id}: rows are missing: 18 of ablation",
        f"trial {second.trial_id}: rows are missing: 1 of trials; rows that the run folder does not have: 1 of trials",
    ])  # fmt: skip
    assert (files(runs.root), whole.read_bytes()) == (before, content), "nothing is changed"
    third.result_path.write_text("{")
    assert any(line.startswith(f"trial {third.trial_id} is left out") for line in verify(whole, runs))


HOLD = "import duckdb, sys, time; connection = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(60)"


def test_a_locked_database_names_who_holds_it(whole: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, whole], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with (
            pytest.raises(DatabaseError, match=rf"is held by another process: .*PID {holder.pid}"),
            reading(whole, patience=0.2),
        ):
            pass
        holder.kill()


@pytest.mark.parametrize("error", [duckdb.IOException("No space left on device"), OSError(30, "Read-only file system")])
def test_what_cannot_be_written_stays_queued_and_is_written_later(
    runs: Runs, trial: MakeTrial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    path = tmp_path / "results.db"
    writer = Writer(path, runs)
    for replicate in range(3):
        writer.queue_trial(trial(replicate=replicate))

    def refuse(*_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("autoreg.database.writer.bring_in", refuse)
        for _ in range(2):
            with pytest.raises(DatabaseError, match=r"results.db cannot be written: "):
                writer.commit()
            assert (writer.pending, writer.problems) == (3, [])
    assert writer.commit()
    assert (writer.pending, writer.problems) == (0, [])
    assert len(contents(path)["trials"]) == 3


def test_only_what_is_missing_or_older_is_brought_in(runs: Runs, trial: MakeTrial, tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    folders = [trial(replicate=replicate) for replicate in range(3)]
    writer = Writer(path, runs)
    assert not any(writer.known().has_all_of(folder, folder.read_result()) for folder in folders)
    for folder in folders:
        writer.queue_trial(folder)
    writer.commit()
    known = writer.known()
    assert all(known.has_all_of(folder, folder.read_result()) for folder in folders)
    again = folders[0].read_result().model_copy(update={"finished_at": "2026-01-02T00:00:00+00:00"})
    assert not known.has_all_of(folders[0], again)
    path_of_one = folders[1].measurement_paths()[0]
    path_of_one.rename(path_of_one.with_name("ablation-0000000000000000.parquet"))
    assert not known.has_all_of(folders[1], folders[1].read_result())


def test_a_trial_that_was_trained_again_has_no_row_of_before(runs: Runs, trial: MakeTrial, tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    folder = trial()
    writer = Writer(path, runs)
    writer.queue_trial(folder)
    writer.commit()
    result = folder.read_result()
    folder.discard("checkpoint.pt was damaged")
    folder.write_result(result.model_copy(update={"finished_at": "2026-01-02T00:00:00+00:00"}))
    writer.queue_trial(folder)
    writer.commit()
    assert {table for table, rows in contents(path).items() if rows} == {"trials", "epochs", "layers"}
    assert len(contents(path)["trials"]) == 1


@pytest.mark.parametrize("name", ["trials", "schema_info", "sweeps", "epochs", "measurements"])
def test_a_metric_cannot_bear_the_name_of_a_table(runs: Runs, trial: MakeTrial, tmp_path: Path, name: str) -> None:
    folder = trial()
    source = next(path for path in folder.measurement_paths() if path.name.startswith("ablation"))
    planted = folder.measurements / f"{name}-{'0' * 16}.parquet"
    planted.write_bytes(source.read_bytes())
    writer = Writer(tmp_path / "results.db", runs)
    writer.queue_trial(folder)
    writer.commit()
    [problem] = writer.problems
    assert f"{name} is a table of autoreg's own" in problem


def test_a_view_in_a_strangers_database_reads_no_file(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    connection = duckdb.connect(str(whole))
    connection.execute(f"create view planted as select * from read_csv('{tmp_path / 'secret.csv'}')")
    connection.close()
    with reading(whole) as connection, pytest.raises(DatabaseError, match="disabled by configuration"):
        query(connection, "select * from planted")


def test_a_query_that_is_wrong_is_not_taken_for_damage(whole: Path) -> None:
    with reading(whole) as connection:
        with pytest.raises(DatabaseError, match="a query failed") as caught:
            query(connection, "select nothing from nowhere")
        assert not isinstance(caught.value, DamagedDatabase)


def test_a_sweep_that_writes_while_verify_works_is_not_taken_for_damage(
    whole: Path, runs: Runs, trial: MakeTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    holders = []

    def hold_and_rebuild(path: Path, of: Runs) -> tuple[int, list[str]]:
        holder = subprocess.Popen([sys.executable, "-c", HOLD, whole], stdout=subprocess.PIPE, text=True)
        holders.append(holder)
        assert holder.stdout
        holder.stdout.readline()
        return rebuild(path, of)

    monkeypatch.setattr("autoreg.database.verify.rebuild", hold_and_rebuild)
    assert verify(whole, runs) == []
    [holder] = holders
    with holder:
        holder.kill()


def test_rows_that_stand_in_the_log_only_are_read_and_verified(whole: Path, runs: Runs, trial: MakeTrial) -> None:
    killed_before_its_checkpoint = (
        "import duckdb, os, sys; connection = duckdb.connect(sys.argv[1]);"
        "connection.execute('delete from layers'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", killed_before_its_checkpoint, whole])
    log = whole.with_name("results.db.wal")
    content = whole.read_bytes(), log.read_bytes()
    lines = verify(whole, runs)
    assert len(lines) == 4
    assert all("of layers" in line for line in lines)
    assert (whole.read_bytes(), log.read_bytes()) == content, "nothing is changed"
    expected = rebuilt_rows(runs, whole)
    for at in range(0, len(content[1]), 1 + len(content[1]) // 12):
        changed = bytearray(content[1])
        changed[at] ^= 1 << at % 8
        whole.write_bytes(content[0])
        log.write_bytes(changed)
        assert looked_at(whole, expected) == "right" or not verified(whole, runs), f"byte {at} of the log"
    assert rebuild(whole, runs) == (4, [])
    assert contents(whole) == expected


def rebuilt_rows(runs: Runs, beside: Path) -> dict[str, list[Any]]:
    """The rows that a database of the run folder has."""
    path = beside.with_name("other.db")
    rebuild(path, runs)
    return contents(path)


def test_a_sweep_writes_nothing_into_somebodys_own_database(runs: Runs, trial: MakeTrial, tmp_path: Path) -> None:
    path = tmp_path / "mine.db"
    connection = duckdb.connect(str(path))
    connection.execute("create table mine as select 1 as x")
    connection.close()
    before = path.read_bytes()
    writer = Writer(path, runs)
    writer.queue_trial(trial())
    with pytest.raises(DatabaseError, match="is not a results database"):
        writer.commit()
    assert path.read_bytes() == before
