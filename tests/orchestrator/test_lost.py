"""Processes that are lost in the middle of a sweep: others take over once, with the same rows."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from autoreg.config.sweep_file import LoadedSweep
from autoreg.orchestrator import run
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.run import run_sweep
from autoreg.orchestrator.runner import SweepRunner
from autoreg.runs.folder import Runs
from tests.helpers.forked import ForkedBackend, fork, run_forked
from tests.helpers.forked_work import train
from tests.helpers.sweep_process import results, rows_without_times


class LostBackend(ForkedBackend):
    """Takes what there is to train, trains `trials` of it, and is gone before a word of that is heard."""

    def __init__(self, trials: int) -> None:
        super().__init__()
        self._trials = trials

    def train(self, runner: SweepRunner) -> None:
        jobs = [job for _ in range(self.machine.slots) if (job := runner.next_job())]
        assert jobs
        if self._trials:
            process, reports = fork(train, jobs[0])
            with suppress(EOFError):
                while True:
                    reports.recv()
            process.join()
        raise ConnectionError("nobody is there")


@pytest.mark.usefixtures("forks")
def test_what_ran_is_put_back_and_the_rows_are_those_of_a_sweep_that_lost_nothing(
    small: Callable[..., LoadedSweep], runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    backends = [ForkedBackend(), LostBackend(trials=1)]
    monkeypatch.setattr(run, "RayBackend", lambda *_: backends.pop())
    plan = make_plan(small("tune=null"))
    summary = run_sweep(plan, runs, tmp_path / "results.db")
    assert (summary.trained, summary.skipped, summary.problems, summary.unwritten) == (4, 0, [], 0)
    assert "ConnectionError: nobody is there; Ray is started again, with what ran" in capfd.readouterr().err
    straight = tmp_path / "straight"
    run_forked(plan, Runs(straight / "runs"), straight / "results.db")
    assert rows_without_times(tmp_path / "results.db") == rows_without_times(straight / "results.db")


@pytest.mark.usefixtures("forks")
def test_lost_twice_it_ends_with_one_line_and_the_same_call_goes_on(
    small: Callable[..., LoadedSweep], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "RayBackend", lambda *_: LostBackend(trials=0))
    plan, runs = make_plan(small("tune=null")), Runs(tmp_path / "runs")
    summary = run_sweep(plan, runs, tmp_path / "results.db")
    assert summary.problems == ["stopped, since ConnectionError: nobody is there; rerun the same command to resume"]
    assert (summary.trained, summary.interrupted, results(tmp_path)) == (0, False, [])
    assert run_forked(plan, runs, tmp_path / "results.db").trained == 4
