"""The driver of a sweep: what runs, what is to be measured, what is to be written."""

import time
from pathlib import Path
from typing import Any

from autoreg.config.trial import TrialConfig
from autoreg.database.writer import Writer
from autoreg.errors import DatabaseError, DataError, first_line
from autoreg.metrics.measure import check_data
from autoreg.orchestrator.durations import Durations
from autoreg.orchestrator.measuring_queue import Measured, MeasuringQueue
from autoreg.orchestrator.plan import Plan
from autoreg.orchestrator.progress.counts import Counts, MeasuredTrial
from autoreg.orchestrator.progress.eta import count_groups, eta, seconds_trained, status_of
from autoreg.orchestrator.progress.live_file import LiveStateFile
from autoreg.orchestrator.progress.terminal import Display, Verbosity
from autoreg.orchestrator.progress.tracker import Tracker
from autoreg.orchestrator.recorder import PATIENCE, Ledger, Summary
from autoreg.orchestrator.schedule import Schedule
from autoreg.runs.describe import describe, outcome
from autoreg.runs.folder import TrialFolder
from autoreg.runs.records import DamagedResult, TrialResult


class RunningSweep:
    """The driver's state: what runs, what is to be measured, what is to be written."""

    display: Display

    def __init__(self, plan: Plan, schedule: Schedule, writer: Writer) -> None:
        self.plan, self.schedule = plan, schedule
        self.runs = schedule.runs
        self.ledger = Ledger(plan, schedule, writer)
        sweep = plan.sweep
        hours = sweep.resources.time_limit_hours
        self.measuring = MeasuringQueue(plan.measurements, plan.root, sweep.resources.measuring, hours, self.trace)
        total = sweep.final_count + sweep.tuning_count
        self.counts = Counts(total=total, cached=0, to_measure=sweep.final_count, began=time.time())
        self.durations = Durations()
        self.training_since, self._trained_seconds = 0.0, 0.0
        self._tracker = Tracker(self.counts)
        self.summary = Summary()
        self.draining = False
        self._is_blocked = False
        self.scratch = self.runs.scratch / f"{sweep.name}-{time.time_ns()}"
        self.stop_file = self.scratch / "stop"
        self.live_state = LiveStateFile(self.scratch, sweep.sweep_id, sweep.name, self.counts)
        self._taken: dict[str, TrialConfig] = {}
        self._trained_again: set[str] = set()
        self._said_draining = False
        self._warned_of: str | None = None

    @property
    def has_work(self) -> bool:
        """Whether anything is left to train or measure."""
        return not (self.measuring.is_empty and self.schedule.is_finished())

    @property
    def remaining(self) -> int:
        """How many trials are left to hand out."""
        counts = self.counts
        return counts.total - counts.cached - counts.done - counts.failed - len(self.schedule.in_flight)

    def trace(self, trial_id: str) -> Path:
        """Return the file in which a trial's process leaves its stacks when its time is over."""
        return self.scratch / "traces" / trial_id

    def begin(self) -> list[str]:
        """Queue what earlier runs left: rows for results.db, trials to be measured.

        Returns:
            A line for each trial that is to be trained again, since its files are damaged.
        """
        try:
            self.runs.scratch.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"the run folder {self.runs.root} cannot be written: {error.strerror}") from error
        self.runs.remove_leftovers()
        lines = self._take_what_is_done()
        self.ledger.commit()
        self._look()
        return lines

    def _take_what_is_done(self) -> list[str]:
        """Take the trials that were trained before, or by another sweep meanwhile."""
        lines = []
        for _, trial_id, config in self.schedule.planned():
            folder = self.runs.trial(trial_id)
            if trial_id in self._taken or not folder.is_trained:
                continue
            try:
                result = folder.read_result()
            except DamagedResult as error:
                lines.append(self.schedule.discard(trial_id, first_line(error)))
                continue
            check_data(folder, result, self.plan.data[config.dataset])
            self.ledger.add_if_missing(folder, config, result)
            self._take(folder, config, result)
            self.durations.note_trial(config, result.epochs_run, result.seconds)
            self.counts.cached += 1
            self.summary.cached += 1
        return lines

    def run(self, ray: Any) -> None:
        """Train and measure until nothing is left or the user stops it."""
        self.scratch.mkdir(parents=True)
        self.measuring.connect(ray)
        with self.live_state.kept():
            self._run(ray)

    def _run(self, ray: Any) -> None:
        is_advancing = True
        while self.has_work and is_advancing and not self.draining:  # a second time if weights turn out to be damaged
            before = self.schedule.handed_out, len(self._trained_again)
            if not self.schedule.is_finished():
                from autoreg.orchestrator.ray_runtime.tune import fit

                try:
                    fit(self, ray)
                except OSError as error:
                    self.block(first_line(error))
                except Exception:  # Tune reads its own notes of an error back, which a full disk has cut off
                    if not self._is_blocked:
                        raise
                self.counts.running.clear()
                for line in self._take_what_is_done():
                    self.display.line(line)
            while not (self.measuring.is_idle if self.draining else self.measuring.is_empty):
                self.tick(timeout=0.2)
            is_advancing = before != (self.schedule.handed_out, len(self._trained_again))

    def trial_ended(self, config: TrialConfig, trained: bool) -> None:
        """Take note of a trial that is no longer running, and have it measured and written.

        Args:
            config: the trial.
            trained: whether it was trained here; another sweep may have had it in hand.
        """
        trial_id = config.trial_id
        result = self.schedule.finished(trial_id)
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
        about = outcome(config, result)
        self.display.line(about if trained else f"{about} (trained by another sweep)")
        folder = self.runs.trial(trial_id)
        self.durations.note_trial(config, result.epochs_run, result.seconds)
        if trained:
            self._tracker.note_end(time.time())
            self._trained_seconds += result.seconds
        self.ledger.add(folder)
        self._take(folder, config, result)
        if config.kind == "final" and result.status == "done" and trial_id not in self.measuring.left:
            self.display.line(f"measured {describe(config)}", Verbosity.VERBOSE)

    def tick(self, timeout: float = 0.0) -> None:
        """Collect and start measuring tasks, and bring what is finished into results.db every two seconds."""
        if self.draining and not self._said_draining:
            self._said_draining = self.counts.stopping = True
            self.stop_file.touch()
            self.display.line(
                "stopping: running trials save their state after this epoch; Ctrl-C again stops now", Verbosity.QUIET
            )
        for measured in self.measuring.collect(timeout):
            self._note(measured)
        if not self.draining:
            self.measuring.start(training=bool(self.counts.running))
        running = self.measuring.running
        about = {trial_id: MeasuredTrial(describe(self._taken[trial_id]), since) for trial_id, since in running.items()}
        self.counts.measuring = about
        if self._tracker.is_due(time.time()):
            self._look()
        self.live_state.update()
        self.display.update()
        try:
            self.ledger.tick()
        except (DatabaseError, OSError) as error:  # training goes on: the run folder has the rows
            if first_line(error) != self._warned_of:
                self._warned_of = first_line(error)
                self.display.line(f"rows wait: {self._warned_of}", Verbosity.QUIET)

    def _look(self) -> None:
        """Bring the groups, and the time that is left, up to date."""
        states, in_flight, now = self.schedule.states, self.schedule.in_flight, time.time()
        statuses = [status_of(state, self._taken, self.measuring.left, in_flight) for state in states]
        under_way = seconds_trained(self.counts.running.values(), now)
        since = self.training_since
        speed = (self._trained_seconds + under_way) / max(1.0, now - since) if since else 0.0
        self.counts.groups = count_groups(statuses)
        self.counts.seconds_left = eta(statuses, self.durations, speed, under_way, self.measuring.slots)

    def drain(self) -> None:
        """Hand out no more trials, and have the running ones save their state at the end of their epoch.

        Called from a signal handler, so it only leaves a note for the next `tick`.
        """
        self.draining = True

    def block(self, why: str) -> None:
        """Stop the sweep, since every other trial would fail as well; none is counted as a failed one."""
        if not self._is_blocked:
            self._is_blocked = True
            line = f"stopped, since {self.runs.root} cannot be written: {why}; mended, the same command goes on"
            self.summary.problems.append(line)
            self.display.line(line)
        self.drain()

    def gone_wrong(self, error: Exception) -> None:
        """Note an error in the driver that must not end the sweep; Ray Tune would end it."""
        line = f"{type(error).__name__}: {first_line(error)}"
        if line not in self.summary.problems:
            self.summary.problems.append(line)
            self.display.line(line)

    def end(self) -> Summary:
        """Write the last rows and return how the sweep ended."""
        self.summary.interrupted = self.draining and not self._is_blocked
        for state in self.schedule.states:
            state.forget_states()
        if not self.ledger.commit():
            waiting = f"waiting for {self.ledger.writer.path}, which another process holds…"
            self.display.line(waiting, Verbosity.QUIET)
            self.ledger.commit(PATIENCE)
        self.summary.unwritten = self.ledger.writer.pending
        self.summary.problems += self.ledger.problems()
        return self.summary

    def _note(self, measured: Measured) -> None:
        trial_id = measured.folder.trial_id
        about, failure = describe(self._taken[trial_id]), measured.failure
        if failure is None:
            self.counts.measured += 1
            self.durations.note_measuring(self._taken[trial_id], measured.seconds)
            self.display.line(f"measured {about}", Verbosity.VERBOSE)
            self.ledger.add(measured.folder)
        elif measured.is_damaged and trial_id not in self._trained_again:
            self._trained_again.add(trial_id)
            del self._taken[trial_id]
            self.schedule.reopen(trial_id)
            self.counts.cached -= 1
            self.summary.cached -= 1
            self.display.line(f"trained again: {about}: {failure.why}")
        elif failure.is_storage:
            self.block(failure.why)
        else:
            self.summary.problems.append(f"{trial_id}  not measured: {about}: {failure.why}")
            self.display.line(f"not measured {about}: {failure.why}")

    def _take(self, folder: TrialFolder, config: TrialConfig, result: TrialResult) -> None:
        """Note how a trial ended, and have it measured."""
        self._taken[folder.trial_id] = config
        self.ledger.note(folder.trial_id, config, result)
        if config.kind != "final":
            return
        if result.status != "done":
            self.counts.to_measure -= 1
        elif not self.measuring.add(folder):
            self.counts.measured += 1
