"""What a stranger may have planted among results: it is read as data or refused, and leads nowhere else."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from autoreg.cli.main import main
from autoreg.config.trial import TrialConfig
from autoreg.database.connection import reading
from autoreg.database.verify import verify
from autoreg.database.writer import Writer, rebuild
from autoreg.errors import ConfigError, DataError
from autoreg.orchestrator.forget import find_sweep
from autoreg.report.figures.source import find_figures
from autoreg.runs.folder import Runs, TrialFolder
from tests.helpers.records import plant_result, write_record

MakeTrial = Callable[..., TrialFolder]
MakeRecord = Callable[..., dict[str, Any]]


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A file of the user's that no planted link may reach."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "precious.parquet").write_text("precious")
    return tmp_path / "home" / "precious.parquet"


@pytest.mark.parametrize("link", ["the trial", "its measurements"])
def test_a_link_in_the_run_folder_leads_no_file_out_of_it(
    runs: Runs, config: Callable[..., TrialConfig], precious: Path, link: str
) -> None:
    path = runs.root / config().trial_id
    place = path if link == "the trial" else path / "measurements"
    place.parent.mkdir(parents=True)
    place.symlink_to(precious.parent)
    with pytest.raises(DataError, match="is a link; a trial's files lie in the run folder itself"):
        runs.trial(path.name).discard("its weights are damaged")
    assert precious.read_text() == "precious"


@pytest.mark.parametrize("trial_id", ["../home", "/", "", ".", "x/../../home"])
def test_an_id_in_a_record_leads_nowhere_else(
    runs: Runs, trial: MakeTrial, sweep_record: MakeRecord, precious: Path, trial_id: str
) -> None:
    record = sweep_record([trial()])
    record["sweep_trials"][0]["trial_id"] = trial_id
    write_record(runs, record)
    with pytest.raises(DataError, match="an id has letters, digits, _ and -, got"):
        find_sweep(runs, record["name"])
    with pytest.raises(DataError, match="an id has"):
        runs.study_path(trial_id)
    assert precious.read_text() == "precious"


@pytest.mark.parametrize("lock", ["results.db.lock", "runs/.locks/x-r0", "results.db.wal"])
def test_a_link_in_place_of_a_lock_empties_no_file(
    runs: Runs, trial: MakeTrial, tmp_path: Path, precious: Path, lock: str
) -> None:
    trial()
    (tmp_path / lock).parent.mkdir(exist_ok=True)
    (tmp_path / lock).symlink_to(precious)
    rebuild(tmp_path / "results.db", runs)
    with runs.trial("x-r0").locked():
        pass
    assert precious.read_text() == "precious"


EMPTY: list[Any] = [None, 3, "x", [], {}, [1], [[1]], [{"x": 1}], [{"trial_id": 1}, {"trial_id": "a"}], "\x1b[2J"]


def test_a_damaged_record_of_a_sweep_is_left_out_and_told_whatever_is_wrong_with_it(
    runs: Runs, trial: MakeTrial, sweep_record: MakeRecord, tmp_path: Path
) -> None:
    record = sweep_record([trial()])
    write_record(runs, record)
    texts = ["", "[]", "null", "1", "{}", "[" * 100_000, "\ud800"]
    texts += [json.dumps({**record, "sweep_id": f"planted{n}", key: value})
              for n, key in enumerate(record) for value in EMPTY]  # fmt: skip
    texts += [json.dumps({key: value for key, value in record.items() if key != left_out}) for left_out in record]
    for number, text in enumerate(texts):
        (runs.sweeps / f"planted{number}.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    count, problems = rebuild(tmp_path / "results.db", runs)
    assert count == 1
    assert len(problems) == len(texts)
    assert all(problem.startswith("sweep planted") for problem in problems)
    with reading(tmp_path / "results.db") as connection:
        assert connection.execute("select sweep_id from sweeps").fetchall() == [(record["sweep_id"],)]


def test_times_that_are_none_are_told(runs: Runs, trial: MakeTrial, tmp_path: Path) -> None:
    folder = trial()
    plant_result(folder, finished_at="yesterday")
    count, [problem] = rebuild(tmp_path / "results.db", runs)
    assert count == 0
    assert "finished_at" in problem
    assert Writer(tmp_path / "results.db", runs).known().trials == {}


@pytest.mark.parametrize("name", ["auc", "figure_b5", "final_trials"])
def test_a_metric_cannot_take_the_place_of_a_view(runs: Runs, trial: MakeTrial, tmp_path: Path, name: str) -> None:
    folder = trial()
    planted = folder.measurements / f"{name}-{'0' * 16}.parquet"
    planted.write_bytes(folder.measurement_paths()[0].read_bytes())
    count, [problem] = rebuild(tmp_path / "results.db", runs)
    assert count == 0
    assert name in problem


@pytest.mark.parametrize("name", ["x\" from t; copy (select 1) to '{}'; --", 'x"'])
def test_what_a_strangers_database_calls_its_columns_is_no_sql(
    runs: Runs, trial: MakeTrial, tmp_path: Path, name: str
) -> None:
    trial()
    path, written = tmp_path / "results.db", tmp_path / "written"
    rebuild(path, runs)
    connection = duckdb.connect(str(path))
    quoted = name.format(written).replace('"', '""')
    connection.execute(f'create table t (trial_id varchar, "{quoted}" integer)')
    connection.execute(f'create table "{quoted}" (trial_id varchar)')
    connection.execute("insert into t values ('a', 1)")
    connection.close()
    assert verify(path, runs) == []  # they are not autoreg's, and are left alone
    assert rebuild(path, runs) == (1, [])
    with reading(path) as connection:
        assert connection.execute("from t").fetchall() == [("a", 1)]
    assert not written.exists()


def test_what_a_strangers_database_calls_its_tables_leads_to_no_other_folder(
    runs: Runs, trial: MakeTrial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trial()
    path = tmp_path / "home" / "results.db"
    path.parent.mkdir()
    rebuild(path, runs)
    names = ["../../x", f"{tmp_path}/y", ".z", "..", 'a"b', "A_b", "n" * 300]
    connection = duckdb.connect(str(path))
    for name in names:
        connection.execute(f'create table "{name.replace(chr(34), 2 * chr(34))}" as select 1 as n')
    connection.close()
    before = sorted(tmp_path.rglob("*"))
    out = tmp_path / "home" / "out"
    monkeypatch.setattr(sys, "argv", ["autoreg", "export", str(out), "--format", "csv", "--db", str(path)])
    main()
    said = capsys.readouterr()
    written = {*tmp_path.rglob("*")} - {*before, out}
    assert {file.parent for file in written} == {out}
    assert len(written) == len(said.out.splitlines())
    assert {"_.._x.csv", "z.csv", "_.csv", f"{'n' * 200}.csv"} <= {file.name for file in written}
    assert said.err == "left out: 'a\"b', whose file would be a_b.csv, which another table has\n"


@pytest.mark.parametrize(
    "sql",
    [
        "copy (select 1) to '{}'", "select 1; copy (select 1) to '{}'", "attach '{}'", "export database '{}'",
        "from read_text('/etc/passwd')", "from glob('/etc/*')", "set enable_external_access = true", "load httpfs",
        "create table trials2 (x integer)", "delete from trials", "", ";", "select $1",
    ],
)  # fmt: skip
def test_a_query_reads_results_and_nothing_else(
    runs: Runs, trial: MakeTrial, tmp_path: Path, sql: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    trial()
    rebuild(tmp_path / "results.db", runs)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(
        sys, "argv", ["autoreg", "query", sql.format(tmp_path / "out"), "--db", str(tmp_path / "results.db")]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.out == ""
    [line] = said.err.splitlines()
    assert line.startswith("autoreg: a query failed: ")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_figure_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "binary.sql").write_bytes(bytes(range(256)))
    [figure] = find_figures(str(tmp_path / "binary.sql"))
    with pytest.raises(ConfigError, match=r"binary.sql: cannot be read: "):
        figure.sql()


@pytest.mark.parametrize(("form", "printed"), [("csv", "B5"), ("json", '"figures": ['), ("table", "['B5']")])
def test_a_list_is_printed_in_every_form(
    runs: Runs, trial: MakeTrial, sweep_record: MakeRecord, tmp_path: Path, form: str, printed: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    write_record(runs, sweep_record([trial()], figures=["B5"]))
    rebuild(tmp_path / "results.db", runs)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["autoreg", "query", "select figures from sweeps", "--format", form])
    main()
    assert printed in capsys.readouterr().out


def test_what_a_strangers_files_say_does_not_reach_the_terminal_as_commands(
    runs: Runs, trial: MakeTrial, sweep_record: MakeRecord, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = trial()
    hostile = "\x1b[2J\x1b]0;owned\x07"
    record = sweep_record([folder])
    write_record(runs, {**record, "name": hostile, "updated_at": "2026-01-01T00:00:00+00:00"})
    (runs.sweeps / f"{hostile}.json").write_text("{}")
    plant_result(folder, device=hostile, error=hostile)
    monkeypatch.chdir(tmp_path)
    for words, code in (
        ["rebuild", 1], ["verify", 1], ["status", 0], ["list trials", 0], [f"show {folder.trial_id}", 0],
        ["report --figure B5", 0], [f"report --figure B5 --sweep {hostile}", 0], [f"show {hostile}", 2],
    ):  # fmt: skip
        monkeypatch.setattr(sys, "argv", ["autoreg", *str(words).split()])
        try:
            main()
            ended = 0
        except SystemExit as error:
            ended = int(str(error.code))
        said = capsys.readouterr()
        assert ended == code, (words, said.err)
        assert "\x1b" not in said.out + said.err, words
        assert "\x07" not in said.out + said.err, words
