"""A sweep whose processes are forks of a small one: without Ray, and without the seconds that Ray takes.

`python -m tests.helpers.forked FILE FOLDER` runs one in a process of its own, and prints how many trials it trained.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from autoreg.config.sweep_file import load_sweep
from autoreg.orchestrator.events import Connected, Event, MeasuringEnded
from autoreg.orchestrator.failure import failure_in, failure_of
from autoreg.orchestrator.jobs import BundleJob, Machine, MeasuringJob
from autoreg.orchestrator.plan import Plan, make_plan
from autoreg.orchestrator.recorder import Summary
from autoreg.orchestrator.runner import SweepRunner
from autoreg.runs.folder import Runs
from autoreg.training.checkpoints import DamagedCheckpoint
from tests.helpers.forked_work import do, measure, train

#: A process that has imported what workers need, and no more, and runs no threads, unlike this one.
FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload([do.__module__])


class ForkedBackend:
    """Trains each bundle and measures each trial in a fork of its own."""

    def __init__(self, slots: int = 2) -> None:
        self.machine = Machine(cores=slots, slots=slots, measuring_slots=slots)
        self._measuring: dict[Connection, tuple[BaseProcess, str, float]] = {}

    def train(self, runner: SweepRunner) -> None:
        training: dict[Connection, tuple[BaseProcess, BundleJob]] = {}
        while training or not runner.is_over:
            while len(training) < self.machine.slots and not runner.is_over and (job := runner.next_job()):
                process, reports = fork(train, job)
                training[reports] = process, job
            for reports in wait(list(training), timeout=0.05):
                process, job = training[reports]
                try:
                    runner.take(job.name, reports.recv())
                except EOFError:
                    del training[reports]
                    process.join()
                    failure = failure_in("the process died unexpectedly") if process.exitcode else None
                    runner.end_bundle(job.name, failure)
            runner.tick()

    def measure(self, job: MeasuringJob) -> None:
        process, answer = fork(measure, job)
        self._measuring[answer] = process, job.trial_id, time.monotonic()

    def measured(self, timeout: float) -> Iterator[Event]:
        for answer in wait(list(self._measuring), timeout):
            process, trial_id, since = self._measuring.pop(answer)
            try:
                error = answer.recv()
            except EOFError:
                error = ChildProcessError("the process died unexpectedly")
            process.join()
            if error is None:
                yield MeasuringEnded(trial_id, time.monotonic() - since)
            else:
                yield MeasuringEnded(trial_id, 0.0, failure_of(error), isinstance(error, DamagedCheckpoint))


def fork(work, job):
    here, there = FORK.Pipe(duplex=False)
    process = FORK.Process(target=do, args=(work, there, job, Path.cwd(), dict(os.environ)), daemon=True)
    process.start()
    there.close()
    return process, here


def run_forked(plan: Plan, runs: Runs, database: Path, slots: int = 2) -> Summary:
    """Run a sweep as `run_sweep` does, but for its processes."""
    runner = SweepRunner(plan, runs, database)
    runner.begin()
    if runner.driver.has_work:
        backend = ForkedBackend(slots)
        runner.tell(Connected(backend.machine))
        runner.run(backend)
    return runner.end()


def run_file(file: Path, folder: Path, slots: int = 2) -> Summary:
    """Run a sweep's file; its run folder and database lie in the folder."""
    return run_forked(make_plan(load_sweep(file)), Runs(folder / "runs"), folder / "results.db", slots)


if __name__ == "__main__":
    summary = run_file(Path(sys.argv[1]), Path(sys.argv[2]))
    print(summary.trained)
    sys.exit("\n".join(summary.problems) or None)
