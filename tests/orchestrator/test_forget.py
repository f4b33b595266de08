"""Trials of other data: every command says the same of them, and one takes them away, after asking."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from autoreg.cli.main import cli
from autoreg.config.sweep_file import load_sweep
from autoreg.database.connection import query, reading
from autoreg.errors import ConfigError, DataError
from autoreg.orchestrator.forecast.forecast import forecast
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.progress.counts import Counts
from autoreg.orchestrator.progress.live_file import LiveStateFile
from autoreg.orchestrator.runner import SweepRunner
from autoreg.runs.folder import Runs
from tests.helpers.forked import run_file
from tests.helpers.small_sweep import write_sweep


@pytest.fixture
def done(tmp_path: Path) -> Path:
    """A sweep that is done, and another that shares a trial with it."""
    file = write_sweep(tmp_path / "small.yaml", epochs=1, tuning=2, replicates=1)
    run_file(file, tmp_path)
    run_file(write_sweep(tmp_path / "other.yaml", epochs=1, replicates=1), tmp_path)
    return file


def forget(folder: Path, *more: str, answer: str | None = None) -> Result:
    places = ["--runs", str(folder / "runs"), "--db", str(folder / "results.db")]
    return CliRunner().invoke(cli, ["forget", "--sweep", "small", *places, *more], input=answer)


def files(folder: Path) -> set[Path]:
    return set((folder / "runs").rglob("*.json"))


def test_a_plan_and_a_sweep_say_the_same_of_trials_of_other_data(done: Path, tmp_path: Path) -> None:
    runs, plan = Runs(tmp_path / "runs"), make_plan(load_sweep(done))
    for folder in runs.trials():
        result = folder.read_result()
        folder.write_result(result.model_copy(update={"environment": {**result.environment, "data": "others"}}))
    said = []
    for command in (
        lambda: forecast([plan], runs, 0.0),
        lambda: SweepRunner(plan, runs, tmp_path / "results.db").begin(),
    ):
        with pytest.raises(DataError) as raised:
            command()
        said.append(str(raised.value).partition(", such as")[0])
    count = len({trial.trial_id for _, trial in plan.schedule(runs).planned()})
    assert said == [said[0]] * 2
    assert said[0] == f"small: {count} trials were trained on other data than is there now"
    assert " (others, now " in str(raised.value)
    assert str(raised.value).endswith("; `autoreg forget --sweep small` removes them")


def test_forgotten_trials_are_gone_and_trained_anew_and_others_stay(done: Path, tmp_path: Path) -> None:
    before = run_file(done, tmp_path)
    assert before.trained == 0
    kept = [folder.trial_id for folder in Runs(tmp_path / "runs").trials()]
    next(folder for folder in Runs(tmp_path / "runs").trials()).config_path.write_text("damaged")
    ended = forget(tmp_path, "--yes")
    assert ended.exit_code == 0, ended.output
    left = {folder.trial_id for folder in Runs(tmp_path / "runs").trials()}
    assert not list((tmp_path / "runs" / "studies").glob("*.json"))
    with reading(tmp_path / "results.db") as connection:
        assert set(query(connection, "select trial_id from trials")["trial_id"]) == left
        assert query(connection, "select name from sweeps")["name"].to_list() == ["other"]
    assert len(kept) == run_file(done, tmp_path).trained + len(left)
    assert {folder.trial_id for folder in Runs(tmp_path / "runs").trials()} == set(kept)


def test_it_asks_first_and_says_who_else_has_the_trials(done: Path, tmp_path: Path) -> None:
    [record] = [path for path in (tmp_path / "runs/sweeps").glob("*.json") if '"name":"other"' in path.read_text()]
    own = json.loads(record.read_text())
    folders = Runs(tmp_path / "runs").trials()
    own["sweep_trials"][0]["trial_id"] = next(each.trial_id for each in folders if each.read_config().kind == "tune")
    record.write_text(json.dumps(own))
    before = files(tmp_path)
    ended = forget(tmp_path, answer="n\n")
    assert "some of them shared with other? [y/N]" in ended.output
    assert (isinstance(ended.exception, Exception), files(tmp_path)) == (True, before)
    assert forget(tmp_path, answer="y\n").exit_code == 0
    assert files(tmp_path) < before


def test_nothing_is_forgotten_while_a_sweep_runs_or_of_an_unknown_name(done: Path, tmp_path: Path) -> None:
    before, runs = files(tmp_path), Runs(tmp_path / "runs")
    live = LiveStateFile(runs.scratch / "small-1", "id", "small", Counts(total=1, skipped=0))
    (runs.scratch / "small-1").mkdir(parents=True)
    with live.kept():
        live.update()
        ended = forget(tmp_path, "--yes")
    assert isinstance(ended.exception, ConfigError)
    assert "stop it first" in str(ended.exception)
    assert files(tmp_path) - {runs.scratch / "small-1" / "now.json"} == before
    with runs.trials()[0].locked():
        ended = forget(tmp_path, "--yes")
    assert "a process trains or measures " in str(ended.exception)
    assert files(tmp_path) >= before
    ended = CliRunner().invoke(cli, ["forget", "--sweep", "smal", "--runs", str(runs.root), "--yes"])
    assert "no sweep 'smal'" in str(ended.exception)
    assert "did you mean 'small'?" in str(ended.exception)
