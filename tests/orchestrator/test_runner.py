"""What a runner makes of messages that come too late, with real files and no processes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from autoreg.config.sweep_file import LoadedSweep
from autoreg.orchestrator.events import Connected, MeasuringEnded, Report
from autoreg.orchestrator.failure import Failure, Kind
from autoreg.orchestrator.jobs import BundleJob, Machine
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.runner import SweepRunner
from autoreg.runs.folder import Runs
from tests.helpers.simulated import result_of

GONE = Failure(Kind.TRANSIENT, "the process is gone")


@pytest.fixture
def runner(small: Callable[..., LoadedSweep], runs: Runs, tmp_path: Path) -> SweepRunner:
    """The runner of a sweep of 12 final trials, without a search."""
    made = SweepRunner(make_plan(small("tune=null", "replicates=6")), runs, tmp_path / "results.db")
    made.begin()
    made.tell(Connected(Machine(slots=1)))
    return made


def begin(runner: SweepRunner) -> BundleJob:
    job = runner.next_job()
    assert job
    return job


def train(runner: SweepRunner, *jobs: BundleJob) -> None:
    """Have trials trained, of which nobody hears."""
    for trial in (trial for job in jobs for trial in job.trials):
        folder = runner.runs.trial(trial.trial_id)
        folder.write_config(trial.config)
        folder.write_result(result_of(trial.config, seconds=0.01))


def test_what_a_process_told_before_it_died_ends_no_later_try(runner: SweepRunner) -> None:
    job = begin(runner)
    runner.end_bundle(job.name, GONE)
    again = begin(runner)
    assert again.trials[0].trial_id == job.trials[0].trial_id
    runner.take(job.name, Report({job.trials[0].trial_id: True}))
    assert begin(runner).trials[0].trial_id != job.trials[0].trial_id, "it is in the hands of its second process"


def test_a_process_that_dies_is_not_at_a_trial_that_is_trained_again_elsewhere(runner: SweepRunner) -> None:
    for _ in range(2):  # then the driver knows how long trials take, and bundles them
        job = begin(runner)
        train(runner, job)
        runner.end_bundle(job.name)
    while len((bundle := begin(runner)).trials) < 2:
        train(runner, bundle)
        runner.end_bundle(bundle.name)
    first, second = (trial.trial_id for trial in bundle.trials[:2])
    train(runner, bundle)
    runner.take(bundle.name, Report({first: True}))
    for trial_id in (first, second):
        runner.runs.trial(trial_id).discard("its weights are damaged")
    runner.tell(MeasuringEnded(first, failure=Failure(Kind.TRIAL, "damaged"), is_damaged=True))
    begun = begin(runner)
    assert begun.trials[0].trial_id == first
    runner.end_bundle(bundle.name, GONE)
    schedule = runner.driver.schedule
    assert first in schedule.in_flight
    assert second not in schedule.in_flight, "it is the one that was trained"
    assert (schedule.tries(first), schedule.tries(second)) == (2, 1)


def test_a_damaged_result_that_is_met_late_is_removed_and_its_trial_trained(runner: SweepRunner) -> None:
    """A final trial's result is not looked at before the search that it follows from has ended."""
    _, config = next(iter(runner.driver.schedule.planned()))
    folder = runner.runs.trial(config.trial_id)
    folder.write_config(config)
    folder.result_path.write_text("{")
    job = begin(runner)
    assert job.trials[0].trial_id == config.trial_id
    assert not folder.is_trained
    folder.result_path.write_text("{")
    runner.lose_backend("Ray is gone", is_last=False)
    assert not folder.is_trained
    assert begin(runner).trials[0].trial_id == config.trial_id
