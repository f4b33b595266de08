"""The runner of a sweep: it tells the driver what happens, and does what the driver wants done.

Files, the clock and the screen are here; processes are the backend's.
"""

import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from autoreg.database.writer import Writer
from autoreg.errors import DataError, first_line, with_kind
from autoreg.orchestrator import events as ev
from autoreg.orchestrator.backend import Backend, BackendLost
from autoreg.orchestrator.driver import Driver
from autoreg.orchestrator.failure import Failure
from autoreg.orchestrator.jobs import BundleJob, Place
from autoreg.orchestrator.plan import Plan
from autoreg.orchestrator.progress.counts import Verbosity
from autoreg.orchestrator.progress.live_file import LiveStateFile
from autoreg.orchestrator.progress.terminal import Display
from autoreg.orchestrator.recorder import PATIENCE, Recorder, Summary
from autoreg.orchestrator.resume import begin_schedule, known_result, trained_trials
from autoreg.orchestrator.same_data import data_notes
from autoreg.orchestrator.study import propose
from autoreg.runs.folder import Runs


class SweepRunner:
    """A sweep that runs: its checked plan, its run folder, results.db, and how much is said on stderr."""

    backend: Backend

    def __init__(self, plan: Plan, runs: Runs, database: Path, verbosity: Verbosity = Verbosity.QUIET) -> None:
        self.plan, self.runs = plan, runs
        hours = plan.sweep.resources.time_limit_hours
        self.scratch = runs.scratch / f"{plan.sweep.name}-{time.time_ns()}"
        place = Place(runs.root, plan.root and plan.root.absolute(), self.scratch, hours and hours * 3600)
        self.recorder = Recorder(plan, Writer(database, runs), place)
        self.driver = Driver(plan, begin_schedule([group for group, _ in plan.groups], runs), place, time.time())
        self.display = Display(self.driver.counts, verbosity)
        self.live_file = LiveStateFile(self.scratch, plan.sweep.sweep_id, plan.sweep.name, self.driver.counts)
        self._jobs: deque[BundleJob] = deque()
        self._failures: dict[str, Failure] = {}
        self.stop_requested, self.heard = False, 0  # heard: how often, of a process
        self._errors: dict[str, None] = {}

    def begin(self, retry_failed: bool = False) -> list[str]:
        """Take what earlier runs left, and bring it into results.db.

        Returns:
            A line for each trial that is to be trained again, since its files are damaged, and `data_notes`.
        """
        try:
            self.runs.scratch.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"the run folder {self.runs.root} cannot be written: {error.strerror}") from error
        self.runs.remove_temporary_files()
        lines = self.take_what_is_trained(retry_failed)
        self.recorder.commit(self.driver.schedule.planned())
        return lines

    def take_what_is_trained(self, retry_failed: bool = False) -> list[str]:
        """Tell the driver of trials that were trained before, or by another sweep; return a line for each damaged one.

        Args:
            retry_failed: remove the results of failed trials instead, so that they are trained again.
        """
        lines: list[str] = []
        for config, folder in trained_trials(self.driver.schedule, self.runs):
            if result := known_result(folder, lines.append, retry_failed):
                lines += data_notes(self.plan, self.runs, config, folder, result)
                self.recorder.add_if_missing(folder, config, result)
                self.tell(ev.TrialFound(config, result, self.recorder.is_measured(folder, result)))
        return list(dict.fromkeys(lines))

    def run(self, backend: Backend) -> None:
        """Train and measure until nothing is left or the user stops it. Raises BackendLost if that cannot go on."""
        self.backend = backend
        self.scratch.mkdir(parents=True, exist_ok=True)
        with self.live_file.kept():
            driver, progress = self.driver, None
            # More than once if weights turn out to be damaged.
            while driver.has_work and not driver.is_stopping and progress != driver.progress:
                progress = driver.progress
                if not driver.is_finished:
                    self._train()
                while driver.measuring.running if driver.is_stopping else not driver.measuring.is_empty:
                    self.tick(timeout=0.2)

    def _train(self) -> None:
        try:
            self.backend.train(self)
        except Exception as error:
            is_disk = isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError)
            if is_disk:
                self.tell(ev.StorageFailed(first_line(error)))
            elif not self.driver.is_blocked:  # else Tune read its own notes back, which a full disk has cut off
                raise BackendLost(with_kind(error)) from error
        for name in self.driver.running.names:  # whose end nobody told
            self.end_bundle(name)
        for line in self.take_what_is_trained():
            self.display.line(line)

    def tell(self, event: ev.Event) -> None:
        """Tell the driver of an event, and do what it wants done, and what follows from that."""
        events = deque([event])
        self.heard += not isinstance(event, ev.Tick | ev.WorkerFree | ev.StopRequested)
        while events:
            for order in self.driver.step(events.popleft(), time.time()):
                try:
                    answer = self._carry_out(order)
                except OSError as error:
                    answer = ev.StorageFailed(first_line(error))
                events += [answer] if answer else []

    def next_job(self) -> BundleJob | None:
        """Return a bundle that a free worker can take, or None; see `is_over`."""
        self.tell(ev.WorkerFree())
        while self._jobs and self._is_trained(self._jobs[0]):
            self.tell(ev.BundleEnded(self._jobs.popleft().name))
            self.tell(ev.WorkerFree())
        return self._jobs.popleft() if self._jobs else None

    def _is_trained(self, job: BundleJob) -> bool:
        """Tell the driver of trials that were trained before they were known to be of this sweep; whether all were."""
        ids, say = [trial.trial_id for trial in job.trials], self.display.line
        trained = [trial_id for trial_id in ids if known_result(self.runs.trial(trial_id), say)]
        for trial_id in trained:
            self.trial_ended(trial_id, was_trained=False)
        return trained == ids

    @property
    def is_over(self) -> bool:
        """Whether no bundle is to come any more."""
        return self.stop_requested or self.driver.is_stopping or self.driver.is_finished or bool(self._errors)

    def trial_ended(self, trial_id: str, was_trained: bool = True) -> None:
        """Tell the driver that a process is done with a trial, whose result is in the run folder if it has one."""
        folder = self.runs.trial(trial_id)
        result = known_result(folder, self.display.line)
        self.tell(ev.TrialEnded(trial_id, result, self.recorder.is_measured(folder, result), was_trained))

    def take(self, bundle: str, report: ev.Report) -> None:
        """Tell the driver what a bundle's process reports; of one that another has begun since, it knows nothing."""
        for config in self.driver.running.left(bundle, self.driver.schedule):
            if config.trial_id in report.ended:
                self.trial_ended(config.trial_id, report.ended[config.trial_id])
        if report.epoch:
            self.tell(report.epoch)
        if report.failure:
            self._failures[bundle] = report.failure

    def end_bundle(self, name: str, failure: Failure | None = None) -> None:
        """Tell the driver that a process is done with a bundle.

        Args:
            name: the bundle's.
            failure: what ended the process, if it has not said so itself; None if it came to the end of its work.
        """
        failure = self._failures.pop(name, failure)
        if failure:  # whoever trains these trials next waits for a process that is out of reach
            with suppress(OSError):
                self.driver.place.over(name).touch()
        for config in self.driver.running.left(name, self.driver.schedule):
            if self.runs.trial(config.trial_id).is_trained:  # its message is lost
                self.trial_ended(config.trial_id)
            elif failure:
                failure = self.recorder.failure(config.trial_id, failure)
        self.tell(ev.BundleEnded(name, failure))

    def lose_backend(self, why: str, is_last: bool) -> None:
        """Take note that all processes are gone, for a reason, after what they left in the run folder."""
        self._jobs.clear()
        self._failures.clear()
        for trial_id in list(self.driver.schedule.in_flight):
            if self.runs.trial(trial_id).is_trained:
                self.trial_ended(trial_id)
        self.tell(ev.BackendLost())
        if self.stop_requested:
            self.tell(ev.StopRequested())
        elif is_last:
            self._errors[f"stopped, since {why}; rerun the same command to resume"] = None
        else:
            self.display.line(f"{why}; Ray is started again, with what ran", Verbosity.QUIET)

    def tick(self, timeout: float = 0.0) -> None:
        """Collect what was measured, waiting so many seconds at most, and let the driver do what is due."""
        if self.stop_requested:
            self.tell(ev.StopRequested())
        for event in self.backend.measured(timeout):
            self.tell(event)
        self.tell(ev.Tick())
        self.live_file.update()
        self.display.update()

    def request_stop(self) -> None:
        """Have the sweep stop; called from a signal handler, so it only leaves a note for the next `tick`."""
        self.stop_requested = True

    def note_error(self, error: Exception) -> None:
        """Take note of an error of ours that must not end the sweep at once; nothing new is begun after it."""
        line = with_kind(error)
        if line not in self._errors:
            self._errors[line] = None
            self.display.line(line)

    def end(self) -> Summary:
        """Write the last rows, and return how the sweep ended."""
        driver, recorder = self.driver, self.recorder
        for trial_id in set(driver.schedule.spent_states()):
            self.runs.trial(trial_id).delete_resume_state()
        if not recorder.commit(driver.schedule.planned()):
            self.display.line(f"waiting for {recorder.writer.path}, which another process holds…", Verbosity.QUIET)
            recorder.commit(driver.schedule.planned(), PATIENCE)
        return Summary(
            trained=driver.endings.trained,
            skipped=driver.endings.skipped,
            problems=[
                *self._errors, *driver.endings.problems.values(), *recorder.writer.problems, *driver.schedule.in_vain()
            ],
            unwritten=recorder.writer.pending,
            interrupted=driver.is_stopping and not driver.is_blocked,
        )  # fmt: skip

    def _carry_out(self, order: ev.Order) -> ev.Event | None:
        """Do what the driver wants done, and return the answer that it waits for."""
        match order:
            case ev.Propose():
                search = self.driver.schedule.search(order.study_id)
                return ev.Proposed(order.study_id, propose(search, self.runs))
            case ev.StartBundle():
                self._jobs.append(order.job)
            case ev.StartMeasuring():
                self.backend.measure(order.job)
            case ev.GiveUp():
                return ev.TrialEnded(order.config.trial_id, self.recorder.give_up(order.config, order.failure))
            case ev.Log():
                self.recorder.log(order.trial_id, order.text)
            case ev.WriteRows():
                self.recorder.add(self.runs.trial(order.trial_id))
            case ev.Commit():
                if line := self.recorder.commit_if_possible(self.driver.schedule.planned()):
                    self.display.line(line, Verbosity.QUIET)
            case ev.Say():
                self.display.line(order.text, order.at)
            case ev.StopWorkers():
                with suppress(FileNotFoundError):  # the folder goes with its processes
                    self.driver.place.stop_file.touch()
        return None
