"""One trial of a sweep in this process: the same files and rows as in a sweep, and no Ray."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autoreg.config.sweep_file import LoadedSweep
from autoreg.errors import ConfigError, DataError
from autoreg.orchestrator.one_trial import final_trials, run_trial
from autoreg.orchestrator.plan import Plan, make_plan
from autoreg.runs.folder import Runs
from tests.helpers.command_line import autoreg
from tests.helpers.database import contents
from tests.helpers.forked import run_forked
from tests.helpers.small_sweep import write_sweep
from tests.helpers.sweep_process import rows_without_times

Small = Callable[..., LoadedSweep]

WITHOUT_RAY = """
import sys
from autoreg.cli.main import main
try:
    main()
finally:
    print("ray" in sys.modules)
"""


@pytest.fixture
def plan(small: Small) -> Plan:
    """Four final trials of two epochs, without a search."""
    return make_plan(small("tune=null", "training.epochs=2"))


def id_of(plan: Plan, runs: Runs, index: int) -> str:
    _, config = final_trials(plan.schedule(runs))[index]
    assert config
    return config.trial_id


def test_trials_trained_one_by_one_are_those_of_a_sweep_which_counts_them_as_done(
    plan: Plan, runs: Runs, tmp_path: Path
) -> None:
    single, together = tmp_path / "single.db", tmp_path / "together.db"
    for index in range(4):
        summary = run_trial(plan, runs, single, index)
        assert (summary.trained, summary.skipped, summary.problems) == (1, 0, [])
    run_forked(plan, Runs(tmp_path / "other"), together)
    assert rows_without_times(single) == rows_without_times(together)
    before = contents(single)
    again = run_forked(plan, runs, single)
    assert (again.trained, again.skipped, again.problems) == (0, 4, [])
    assert {**contents(single), "sweeps": []} == {**before, "sweeps": []}  # of which one says when it was last run
    assert run_trial(plan, runs, single, 2).skipped == 1


def test_a_trial_waits_for_the_search_that_gives_its_hyperparameters(small: Small, runs: Runs, tmp_path: Path) -> None:
    plan = make_plan(small("tune.trials=2", "tune.epochs=1", "training.epochs=1", "grid.width=[1/4]"))
    with pytest.raises(DataError, match=r"trial 1 has no hyperparameters: the search for mlp 1/4x .* is not finished"):
        run_trial(plan, runs, tmp_path / "results.db", 1)
    run_forked(plan, runs, tmp_path / "results.db")
    trial_id = id_of(plan, runs, 1)
    runs.trial(trial_id).result_path.unlink()
    assert run_trial(plan, runs, tmp_path / "results.db", 1).trained == 1
    assert runs.trial(trial_id).is_trained


def test_a_trial_or_a_device_that_is_not_there_is_said_before_anything_is_written(
    plan: Plan, runs: Runs, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="the sweep has 4 final trials, numbered from 0, got 4"):
        run_trial(plan, runs, tmp_path / "results.db", 4)
    with pytest.raises(ConfigError, match="this machine has no device 'cuda:99'"):
        run_trial(plan, runs, tmp_path / "results.db", 0, device="cuda:99")
    assert not runs.root.exists()


def test_a_failed_trial_is_tried_again_if_asked_and_damaged_weights_are_trained_again(
    plan: Plan, runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, folder = tmp_path / "results.db", runs.trial(id_of(plan, runs, 0))
    with monkeypatch.context() as patch:
        patch.setattr("autoreg.training.loop.train_epoch", lambda *_: 1 / 0)
        assert "ZeroDivisionError" in run_trial(plan, runs, database, 0).problems[0]
    assert "ZeroDivisionError" in run_trial(plan, runs, database, 0).problems[0]
    assert run_trial(plan, runs, database, 0, retry_failed=True).problems == []
    for path in folder.measurement_paths():
        path.unlink()
    folder.checkpoint_path.write_bytes(b"damaged")
    [problem] = run_trial(plan, runs, database, 0).problems
    assert "not measured" in problem
    assert "checkpoint.pt" in problem
    assert run_trial(plan, runs, database, 0).problems == []
    assert "checkpoint.pt" in folder.read_result().environment["trained_again"]


def test_what_is_not_the_trials_fault_leaves_it_untrained(
    plan: Plan, runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("autoreg.training.loop.train_epoch", fails)
    [problem] = run_trial(plan, runs, tmp_path / "results.db", 0).problems
    assert "not trained" in problem
    assert "MemoryError" in problem
    assert not runs.trial(id_of(plan, runs, 0)).is_trained


def test_a_longer_trial_goes_on_from_the_shorter_one(small: Small, runs: Runs, tmp_path: Path) -> None:
    plan = make_plan(small("tune=null", "training.epochs=2", "grid.epochs=[1,2]", "grid.width=[1/4]", "replicates=1"))
    for index in range(2):
        assert run_trial(plan, runs, tmp_path / "results.db", index).trained == 1
    result = runs.trial(id_of(plan, runs, 1)).read_result()
    assert "continued after epoch 1 of" in result.environment["resumed"]


@pytest.mark.timeout(120)
def test_ctrl_c_saves_the_state_and_the_same_command_goes_on_all_without_ray(tmp_path: Path) -> None:
    file = write_sweep(tmp_path / "long.yaml", epochs=100_000)
    command = [sys.executable, "-c", WITHOUT_RAY, "trial", str(file), "--index", "0"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        while "epoch " not in (line := process.stderr.readline()).split("Ctrl-C")[0]:
            assert line, "it ended"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "False\n")
    assert err.splitlines()[-1].startswith("autoreg: stopped; to go on: ")
    [folder] = [path.parent for path in (tmp_path / "runs").glob("*/resume.pt")]
    log = (folder / "log.txt").read_text()
    assert "its state is saved" in log
    assert list((tmp_path / "runs" / "sweeps").iterdir())


def test_the_command_lists_and_counts_the_trials_and_trains_one(tmp_path: Path) -> None:
    file = str(write_sweep(tmp_path / "short.yaml", epochs=1, replicates=1))
    assert autoreg("trial", file, "--count", cwd=tmp_path).stdout == "2\n"
    assert not (tmp_path / "runs").exists()
    ended = autoreg("trial", file, "--index", "1", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr.splitlines()[-1] == "1 trials trained, 0 were done before; rows in results.db"
    first, second = autoreg("trial", file, cwd=tmp_path).stdout.splitlines()
    assert first.startswith("0 ")
    assert "mlp 1/2x" in first
    assert "trained" not in first
    assert " trained  mlp 1/4x" in second
    ended = autoreg("trial", file, "--count", "--index", "1", cwd=tmp_path)
    assert (ended.returncode, ended.stderr.endswith(": give one of them\n")) == (2, True)
    ended = autoreg("trial", file, "--trained", "--retry-failed", cwd=tmp_path)
    assert (ended.returncode, "without --index nothing is trained" in ended.stderr) == (2, True)


def test_the_command_measures_what_is_trained_and_trains_none(tmp_path: Path) -> None:
    file = str(write_sweep(tmp_path / "short.yaml", epochs=1, replicates=1))
    ended = autoreg("trial", file, "--trained", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (
        3,
        "autoreg: --trained measures trials that are trained, and runs has none of this sweep\n",
    )
    autoreg("trial", file, "--index", "1", cwd=tmp_path)
    ended = autoreg("trial", file, "--set", "measure.metrics.movement={}", "--trained", cwd=tmp_path)
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (
        0,
        "0 trials trained, 1 were done before; rows in results.db",
    )
    assert len([*tmp_path.glob("runs/*/result.json")]) == len([*tmp_path.glob("runs/*/measurements/movement-*")]) == 1
