"""A worker trains the trials of a pack one after another, measures tiny ones, and tells what has ended."""

import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoreg.config.sweep_file import LoadedSweep
from autoreg.config.trial import canonical_json
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.ray_runtime import worker
from autoreg.runs.folder import Runs

Train = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def order(small: Callable[..., LoadedSweep], runs: Runs, tmp_path: Path) -> dict[str, Any]:
    """A pack of the small sweep's four final trials."""
    plan = make_plan(small("tune=null", "training.epochs=2"))
    trials = [
        {
            "config": canonical_json(config), "prune_below": [], "shorter": None, "is_continued": False,
            "trace": str(tmp_path / "traces" / trial_id),
        }
        for _, trial_id, config in plan.schedule(runs).planned()
    ]  # fmt: skip
    return {
        "trials": trials, "measurements": plan.measurements, "runs": str(runs.root), "root": None, "threads": 1,
        "gpu": 0.0, "time_limit": None, "stop_file": str(tmp_path / "stop"),
    }  # fmt: skip


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch) -> Train:
    """Train a pack in this process, and return what Ray Tune is told."""
    told: list[dict[str, Any]] = []
    monkeypatch.setattr("ray.tune.report", told.append)
    monkeypatch.setattr(worker, "prepare_process", lambda threads, device: device)

    def run(order: dict[str, Any]) -> list[dict[str, Any]]:
        worker.train({"order": order})
        return told

    return run


def ids(order: dict[str, Any]) -> list[str]:
    return [worker.TrialConfig.model_validate_json(trial["config"]).trial_id for trial in order["trials"]]


def measured(runs: Runs) -> list[int]:
    return [len(list(folder.measurement_paths())) for folder in runs.trials()]


def test_a_pack_is_trained_and_measured_and_told_at_its_end(order: dict[str, Any], train: Train, runs: Runs) -> None:
    [told] = train(order)
    assert told["ended"] == dict.fromkeys(ids(order), True)
    assert [folder.read_result().status for folder in runs.trials()] == ["done"] * 4
    assert measured(runs) == [2] * 4


def test_what_takes_longer_is_left_to_a_task_of_its_own(
    order: dict[str, Any], train: Train, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SECONDS_OF_A_TINY_TRIAL", 0.0)
    train(order)
    assert measured(runs) == [0] * 4


def test_a_measurement_that_goes_wrong_is_left_to_a_task_too(
    order: dict[str, Any], train: Train, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(worker, "measure_trial", fail)
    [told] = train(order)
    assert set(told["ended"]) == set(ids(order))
    assert measured(runs) == [0] * 4
    assert "not measured:" in runs.trials()[0].log_path.read_text()


def test_a_trial_that_fails_leaves_the_others_of_its_pack_alone(
    order: dict[str, Any], train: Train, runs: Runs
) -> None:
    second = json.loads(order["trials"][1]["config"])
    order["trials"][1]["config"] = json.dumps(second | {"network": "nosuch:network"})
    [told] = train(order)
    assert len(told["ended"]) == 4
    assert sorted(folder.read_result().status for folder in runs.trials()) == ["done", "done", "done", "failed"]


def test_once_stopped_no_further_trial_of_a_pack_begins(order: dict[str, Any], train: Train, runs: Runs) -> None:
    Path(order["stop_file"]).touch()
    train(order)
    assert not any(folder.is_trained for folder in runs.trials())
    assert not list(runs.root.glob("*-r*"))


def test_what_another_sweep_has_trained_is_told_apart(order: dict[str, Any], train: Train) -> None:
    first, *_ = order["trials"]
    train(order | {"trials": [first]})
    told = train(order)
    own, *others = ids(order)
    assert told[-1]["ended"] == {own: False, **dict.fromkeys(others, True)}


def test_a_log_tells_of_every_start_epoch_measurement_and_end(
    order: dict[str, Any], train: Train, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, stop = ids(order)[0], Path(order["stop_file"])
    with monkeypatch.context() as patch:
        patch.setattr(worker.Reports, "epoch", lambda *_: stop.touch())
        train(order)
    stop.unlink()
    train(order)
    folder = runs.trial(first)
    lines = folder.log_path.read_text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  \w", line) for line in lines), lines
    said = [line[21:] for line in lines]
    assert [line.split(":")[0].split("  ")[0] for line in said[:6]] == [
        "start", "epoch 1/2", "stopped after epoch 1; its state is saved", "start", "continued after epoch 1",
        "epoch 2/2",
    ]  # fmt: skip
    assert said[0].startswith("start: mlp 1/2x glorot_normal lr 0.1 bs 50 r0 on cpu, 1 thread, process ")
    epoch = folder.read_result().epochs[1]
    assert f"train loss {epoch.train_loss:.4f} accuracy {epoch.train_accuracy:.4f}" in said[5]
    assert f"validation loss {epoch.validation_loss:.4f} accuracy {epoch.validation_accuracy:.4f}" in said[5]
    assert said[6].startswith("done: 2 epochs in ")
    assert said[6].endswith(", continued after epoch 1")
    assert [line.split(" rows ")[0].rpartition(":")[0] for line in said[7:]] == [
        "measured ablation on test", "measured similarity on test",
    ]  # fmt: skip
    files = [path.name for path in folder.path.rglob("*") if path.is_file()]
    assert len(files) == 6, "checkpoint, config, result, log and two measurements"


def test_a_log_has_the_whole_traceback_of_a_failure_and_the_warnings(
    order: dict[str, Any], train: Train, runs: Runs
) -> None:
    first = json.loads(order["trials"][0]["config"])
    faulty = {"name": "tests.helpers.faulty:warns_and_fails"}
    order["trials"] = [order["trials"][0] | {"config": json.dumps(first | {"network": faulty})}]
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        train(order)
    [folder] = runs.trials()
    start, warning, failed, *trace = folder.log_path.read_text().splitlines()
    assert "  start: tests.helpers.faulty:warns_and_fails 1/2x" in start
    assert f"  warning: UserWarning: this will end badly ({Path(__file__).parents[2]}/helpers/faulty.py:" in warning
    assert failed.endswith("  failed:")
    assert trace[0] == "    Traceback (most recent call last):"
    assert trace[-1] == "    RuntimeError: as foreseen"
    assert all(line.startswith("    ") for line in trace)
