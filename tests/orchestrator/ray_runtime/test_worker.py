"""A worker trains the trials of a bundle one after another, measures tiny ones, and tells what has ended."""

import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from autoreg.config.sweep_file import LoadedSweep
from autoreg.config.trial import Choice
from autoreg.orchestrator.events import Report
from autoreg.orchestrator.failure import Failure, Kind
from autoreg.orchestrator.jobs import BundleJob, Place, Share, TrialJob
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.ray_runtime import worker
from autoreg.runs.folder import Runs

Train = Callable[..., list[Report]]


@pytest.fixture
def job(small: Callable[..., LoadedSweep], runs: Runs, tmp_path: Path) -> BundleJob:
    """A bundle of the small sweep's four final trials."""
    plan = make_plan(small("tune=null", "training.epochs=2"))
    trials = tuple(TrialJob(config) for _, config in plan.schedule(runs).planned())
    (tmp_path / "scratch").mkdir()
    place = Place(runs.root, None, tmp_path / "scratch")
    return BundleJob("bundle", trials, tuple(plan.measurements), place, Share())


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch) -> Train:
    """Train a bundle in this process, and return what the driver is told."""
    monkeypatch.setattr(worker, "prepare_process", lambda threads, device: device)

    def run(job: BundleJob) -> list[Report]:
        reports: list[Report] = []
        worker.train(job, worker.Reporter(reports.append))
        return reports

    return run


def ids(job: BundleJob) -> list[str]:
    return [trial.config.trial_id for trial in job.trials]


def with_network(trial: TrialJob, name: str) -> TrialJob:
    return replace(trial, config=trial.config.model_copy(update={"network": Choice(name=name)}))


def ended(reports: list[Report]) -> dict[str, bool]:
    return {trial_id: was_trained for report in reports for trial_id, was_trained in report.ended.items()}


def measured(runs: Runs) -> list[int]:
    return [len(list(folder.measurement_paths())) for folder in runs.trials()]


def test_a_bundle_is_trained_and_measured_and_told_at_its_end(job: BundleJob, train: Train, runs: Runs) -> None:
    told = ended(train(job))
    assert told == dict.fromkeys(ids(job), True)
    assert [folder.read_result().status for folder in runs.trials()] == ["done"] * 4
    assert measured(runs) == [2] * 4


def test_what_takes_longer_is_left_to_a_task_of_its_own(
    job: BundleJob, train: Train, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SECONDS_OF_A_TINY_TRIAL", 0.0)
    train(job)
    assert measured(runs) == [0] * 4


def test_a_measurement_that_goes_wrong_is_left_to_a_task_too(
    job: BundleJob, train: Train, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(worker, "measure_trial", fail)
    told = ended(train(job))
    assert set(told) == set(ids(job))
    assert measured(runs) == [0] * 4
    assert "not measured:" in runs.trials()[0].log_path.read_text()


def test_a_trial_that_fails_leaves_the_others_of_its_bundle_alone(job: BundleJob, train: Train, runs: Runs) -> None:
    first, second, *rest = job.trials
    told = ended(train(replace(job, trials=(first, with_network(second, "nosuch:network"), *rest))))
    assert len(told) == 4
    assert sorted(folder.read_result().status for folder in runs.trials()) == ["done", "done", "done", "failed"]


def test_what_an_error_says_is_read_back_whatever_it_says(job: BundleJob, train: Train, runs: Runs) -> None:
    train(replace(job, trials=(with_network(job.trials[0], "tests.helpers.faulty:names_no_file"),)))
    [folder] = runs.trials()
    assert "ValueError: no file \\udcff\n" in (folder.read_result().error or "")


def test_once_stopped_no_further_trial_of_a_bundle_begins(job: BundleJob, train: Train, runs: Runs) -> None:
    job.place.stop_file.touch()
    train(job)
    assert not any(folder.is_trained for folder in runs.trials())
    assert not list(runs.root.glob("*-r*"))


def test_what_another_sweep_has_trained_is_told_apart(job: BundleJob, train: Train) -> None:
    train(replace(job, trials=job.trials[:1]))
    told = train(job)
    own, *others = ids(job)
    assert ended(told) == {own: False, **dict.fromkeys(others, True)}


def test_a_log_tells_of_every_start_epoch_measurement_and_end(
    job: BundleJob, train: Train, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, stop = ids(job)[0], job.place.stop_file
    with monkeypatch.context() as patch:
        patch.setattr(worker.Reporter, "note_epoch", lambda *_: stop.touch())
        train(job)
    stop.unlink()
    train(job)
    folder = runs.trial(first)
    lines = folder.log_path.read_text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  \w", line) for line in lines), lines
    said = [line[21:] for line in lines]
    assert [line.split(":")[0].split("  ")[0] for line in said[:6]] == [
        "start", "epoch 1/2", "stopped; its state is saved", "start", "continued after epoch 1",
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


def test_a_log_has_the_whole_traceback_of_a_failure_and_the_warnings(job: BundleJob, train: Train, runs: Runs) -> None:
    faulty = with_network(job.trials[0], "tests.helpers.faulty:warns_and_fails")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        train(replace(job, trials=(faulty,)))
    [folder] = runs.trials()
    start, warning, failed, *trace = folder.log_path.read_text().splitlines()
    assert "  start: tests.helpers.faulty:warns_and_fails 1/2x" in start
    assert f"  warning: UserWarning: this will end badly ({Path(__file__).parents[2]}/helpers/faulty.py:" in warning
    assert failed.endswith("  failed:")
    assert trace[0] == "    Traceback (most recent call last):"
    assert trace[-1] == "    RuntimeError: as foreseen"
    assert all(line.startswith("    ") for line in trace)


def test_what_is_not_the_trials_fault_is_told_and_ends_the_process(
    job: BundleJob, train: Train, runs: Runs, tmp_path: Path
) -> None:
    network = Choice(name="tests.helpers.faulty:fails_once", options={"folder": str(tmp_path / "tries")})
    first = replace(job.trials[0], config=job.trials[0].config.model_copy(update={"network": network}))
    reports: list[Report] = []
    with pytest.raises(MemoryError):
        worker.train(replace(job, trials=(first,)), worker.Reporter(reports.append))
    assert reports == [Report({}, failure=Failure(Kind.MEMORY, "MemoryError: no memory this time"))]
    assert not runs.trials()


def test_a_trial_that_changes_torch_leaves_the_next_one_as_it_would_be_alone(
    job: BundleJob, train: Train, runs: Runs, tmp_path: Path
) -> None:
    first, second = job.trials[:2]
    leaky = with_network(first, "tests.helpers.leaky:sets_dtype")
    train(replace(job, trials=(leaky, second)))
    train(replace(job, trials=(second,), place=replace(job.place, runs=tmp_path / "alone")))
    after, alone = (each.trial(second.trial_id) for each in (runs, Runs(tmp_path / "alone")))
    accuracies = [[epoch.train_loss for epoch in folder.read_result().epochs] for folder in (after, alone)]
    assert accuracies[0] == accuracies[1]
    assert [path.read_bytes() for path in after.measurement_paths()] == [
        path.read_bytes() for path in alone.measurement_paths()
    ]
    log = runs.trial(leaky.trial_id).log_path.read_text()
    assert "warning: the trial's code has changed the default dtype from torch.float32 to torch.float64" in log
    assert "warning: the trial's code" not in after.log_path.read_text()


def test_code_that_was_edited_since_the_sweep_began_is_refused(job: BundleJob, train: Train, runs: Runs) -> None:
    [trial] = job.trials[:1]
    edited = Choice(name="tests.helpers.outside:build", options={}, source="0123456789abcdef")
    trial = replace(trial, config=trial.config.model_copy(update={"network": edited}))
    train(replace(job, trials=(trial,)))
    result = runs.trial(trial.trial_id).read_result()
    assert result.status == "failed"
    assert "network 'tests.helpers.outside:build' was edited since the sweep began" in str(result.error)


def test_an_own_metric_is_left_to_a_task_whose_process_ends_with_it(job: BundleJob, train: Train, runs: Runs) -> None:
    own = replace(job.measurements[0], metric="tests.helpers.outside:metric")
    train(replace(job, measurements=(*job.measurements, own)))
    assert measured(runs) == [2] * 4
