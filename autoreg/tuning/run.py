"""Running a sweep: from its plan to the last row in results.db."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autoreg.config import TrialConfig
from autoreg.database import Writer, record_sweep
from autoreg.errors import AutoregError, DatabaseError, DataError, first_line
from autoreg.measuring import check_data
from autoreg.progress import Counts, Display, describe, make_display, outcome
from autoreg.runs import Runs
from autoreg.tuning import worker
from autoreg.tuning.interruption import Interruption
from autoreg.tuning.measuring_queue import MeasuringQueue
from autoreg.tuning.plan import Plan
from autoreg.tuning.schedule import Schedule
from autoreg.tuning.session import ray_session

SECONDS_BETWEEN_COMMITS = 2.0
#: How long a sweep waits at its end for somebody's shell to let go of results.db.
PATIENCE = 60.0


@dataclass
class Summary:
    """How a sweep ended.

    Attributes:
        trained: trials that ended now, failed ones among them.
        cached: trials that had ended before.
        problems: one line for each trial that failed or could not be measured.
        unwritten: trials that wait for results.db, which another process holds.
        interrupted: whether the user stopped it.
    """

    trained: int = 0
    cached: int = 0
    problems: list[str] = field(default_factory=list)
    unwritten: int = 0
    interrupted: bool = False


def run_sweep(
    plan: Plan, runs: Runs, database: Path, address: str | None = None, retry_failed: bool = False
) -> Summary:
    """Train and measure what is not yet done of a sweep, bring everything into results.db, and say how it ended.

    What was done before, by this or another sweep, is not done again. Interrupted in whatever way, the same call goes
    on where it was.

    Args:
        plan: the checked sweep.
        runs: the run folder.
        database: results.db, made if it is not there.
        address: a Ray cluster to join; None starts Ray on this machine.
        retry_failed: train failed trials of this sweep again.

    Raises:
        DatabaseError: results.db is damaged or from a newer version.
    """
    schedule = plan.schedule(runs)
    if retry_failed:
        schedule.forget_failures()
    sweep = RunningSweep(plan, schedule, Writer(database, runs))
    sweep.begin()
    with make_display(sweep.counts) as sweep.display:
        if sweep.has_work:
            with ray_session(address) as ray, Interruption(sweep.drain):  # Ray sets handlers of its own
                sweep.run(ray)
        return sweep.end()


class RunningSweep:
    """The driver's state: what runs, what is to be measured, what is to be written."""

    display: Display

    def __init__(self, plan: Plan, schedule: Schedule, writer: Writer) -> None:
        self.plan, self.schedule, self.writer = plan, schedule, writer
        self.runs = schedule.runs
        sweep = plan.sweep
        self.measuring = MeasuringQueue(plan.measurements, self.runs, plan.root, sweep.resources.measuring)
        total = sweep.final_count + sweep.tuning_count
        self.counts = Counts(total=total, cached=schedule.done_count(), to_measure=sweep.final_count)
        self.summary = Summary(cached=self.counts.cached)
        self.draining = False
        self.stop_file = self.runs.scratch / f"stop-{time.time_ns()}"
        self._recorded: set[str] | None = None
        self._committed_at = time.monotonic()
        self._said_draining = False

    @property
    def has_work(self) -> bool:
        """Whether anything is left to train or measure."""
        return not (self.measuring.is_empty and self.schedule.is_finished())

    def begin(self) -> None:
        """Queue what earlier runs left: rows for results.db, trials to be measured."""
        try:
            self.runs.scratch.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"the run folder {self.runs.root} cannot be written: {error.strerror}") from error
        for _, config in self.schedule.planned():
            folder = self.runs.trial(config.trial_id)
            if folder.is_trained:
                check_data(folder, self.plan.data[config.dataset])
                self._queue(config)
        self._record()
        self.writer.commit()

    def run(self, ray: Any) -> None:
        """Train and measure until nothing is left or the user stops it."""
        self.measuring.connect(ray)
        if not self.schedule.is_finished():
            from autoreg.tuning.tuner import fit

            fit(self, ray)
        while not (self.measuring.is_idle if self.draining else self.measuring.is_empty):
            self.tick(timeout=0.2)

    def trial_started(self, config: TrialConfig) -> None:
        """Show a trial that starts."""
        self.counts.running[config.trial_id] = describe(config)
        self.display.update(self.counts)

    def trial_progressed(self, config: TrialConfig, report: dict[str, Any]) -> None:
        """Show how far a running trial is."""
        text = f"{describe(config)} · epoch {report['epoch']}/{report['epochs']} · {report['accuracy']:.1%}"
        self.counts.running[config.trial_id] = text
        self.display.update(self.counts)

    def trial_ended(self, config: TrialConfig, error: str | None, trained: bool) -> None:
        """Take note of a trial that is no longer running, and have it measured and written.

        Args:
            config: the trial.
            error: why it was given up, if it was.
            trained: whether it was trained here; another sweep may have had it in hand.
        """
        folder = self.runs.trial(config.trial_id)
        if error and not folder.is_trained:  # its worker died as often as it may
            folder.write_config(config)
            folder.write_result(worker.failed_result(AutoregError(error)))
        self.counts.running.pop(config.trial_id, None)
        result = self.schedule.finished(config.trial_id)
        if result is None:
            return  # stopped by the user; its state is saved
        if not trained:
            self.summary.cached += 1
            self.counts.cached += 1
        elif result.status == "failed":
            self.summary.trained += 1
            self.counts.failed += 1
        else:
            self.summary.trained += 1
            self.counts.done += 1
        self.display.update(self.counts)
        about = outcome(config, result)
        self.display.line(about if trained else f"{about} (trained by another sweep)")
        self._queue(config)
        self._record()

    def tick(self, timeout: float = 0.0) -> None:
        """Collect and start measuring tasks, and bring what is finished into results.db every two seconds."""
        if self.draining and not self._said_draining:
            self._said_draining = True
            self.stop_file.touch()
            self.display.line("stopping: running trials save their state after this epoch; Ctrl-C again stops now")
        for folder, problem in self.measuring.collect(timeout):
            about = describe(folder.read_config())
            if problem:
                self.summary.problems.append(f"{folder.trial_id}  not measured: {about}: {problem}")
                self.display.line(f"not measured {about}: {problem}")
            else:
                self.counts.measured += 1
                self.display.line(f"measured {about}")
                self.writer.queue_trial(folder)
        if not self.draining:
            self.measuring.start(training=bool(self.counts.running))
        self.display.update(self.counts)
        if time.monotonic() - self._committed_at >= SECONDS_BETWEEN_COMMITS:
            self._commit()

    def drain(self) -> None:
        """Hand out no more trials, and have the running ones save their state at the end of their epoch.

        Called from a signal handler, so it only leaves a note for the next `tick`.
        """
        self.draining = True

    def gone_wrong(self, error: Exception) -> None:
        """Note an error in the driver that must not end the sweep; Ray Tune would end it."""
        line = f"{type(error).__name__}: {first_line(error)}"
        if line not in self.summary.problems:
            self.summary.problems.append(line)
            self.display.line(line)

    def end(self) -> Summary:
        """Write the last rows and return how the sweep ended."""
        self.summary.interrupted = self.draining
        self.stop_file.unlink(missing_ok=True)
        for state in self.schedule.states:
            state.forget_states()
        if not self.writer.commit():
            self.display.line(f"waiting for {self.writer.path}, which another process holds…")
            self.writer.commit(PATIENCE)
        self.summary.unwritten = self.writer.pending
        self.summary.problems += [*self.writer.problems, *self._failures()]
        return self.summary

    def _queue(self, config: TrialConfig) -> None:
        folder = self.runs.trial(config.trial_id)
        self.writer.queue_trial(folder)
        if config.kind != "final":
            return
        if folder.read_result().status != "done":
            self.counts.to_measure -= 1
        elif not self.measuring.add(folder):
            self.counts.measured += 1

    def _commit(self) -> None:
        self._committed_at = time.monotonic()
        try:
            self.writer.commit()
        except DatabaseError as error:  # training goes on: the run folder has the rows
            self.gone_wrong(error)

    def _failures(self) -> list[str]:
        lines = []
        for _, config in self.schedule.planned():
            folder = self.runs.trial(config.trial_id)
            if not folder.is_trained:
                continue
            result = folder.read_result()
            if result.status == "failed" or (result.status == "diverged" and config.kind == "final"):
                lines.append(f"{config.trial_id}  {outcome(config, result)}")
        for state in self.schedule.states:
            if state.group.final_count and state.final_trials() == []:
                about = describe(state.group.template)
                lines.append(f"no tuning trial of {about} succeeded, so it has no final trials")
        return lines

    def _record(self) -> None:
        """Write down the sweep and the trials that it has so far, if there are new ones."""
        planned = list(self.schedule.planned())
        ids = {config.trial_id for _, config in planned}
        if ids == self._recorded:
            return
        self._recorded = ids
        record_sweep(self.runs, self.plan.record(planned))
        self.writer.queue_sweep(self.plan.sweep.sweep_id)
