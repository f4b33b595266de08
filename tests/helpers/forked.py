"""A sweep whose processes are forks of a small one: without Ray, and without the seconds that Ray takes."""

import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from multiprocessing.connection import Connection, wait
from multiprocessing.forkserver import ensure_running
from multiprocessing.process import BaseProcess
from pathlib import Path
from unittest.mock import patch

from autoreg.config.sweep_file import load_sweep
from autoreg.orchestrator import run
from autoreg.orchestrator.events import Connected, Event, MeasuringEnded
from autoreg.orchestrator.failure import failure_in, failure_of
from autoreg.orchestrator.jobs import BundleJob, Machine, MeasuringJob
from autoreg.orchestrator.plan import Plan, make_plan
from autoreg.orchestrator.ray_runtime.session import Session
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


@contextmanager
def forked_sweeps() -> Iterator[None]:
    """Have sweeps of this process train and measure in forks, in place of Ray's processes."""
    ensure_running()  # before the folder changes: what it imports first, it finds from the one that it starts in
    with patch.multiple(
        run,
        check_not_imported=lambda: None,  # by another test, perhaps
        ray_session=lambda *_: nullcontext(Session(None, {})),
        RayBackend=lambda *_: ForkedBackend(),
    ):
        yield
