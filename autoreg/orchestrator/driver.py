"""The driver of a sweep: what happens goes in, what is to be done comes out.

It has no clock, opens no file, and knows neither Ray nor a screen: those are the runner's, which feeds it. So whatever
can happen to a sweep, in whatever order, can be tried in memory.
"""

from autoreg.config.trial import TrialConfig
from autoreg.orchestrator import events as ev
from autoreg.orchestrator.bundles import next_bundle
from autoreg.orchestrator.durations import Durations
from autoreg.orchestrator.endings import Endings
from autoreg.orchestrator.failure import SILENT, UNREADABLE, Failure, Kind, Verdict, verdict
from autoreg.orchestrator.finished import FinishedLines
from autoreg.orchestrator.jobs import BundleJob, Machine, MeasuringJob, Place, Share, TrialJob, share_of
from autoreg.orchestrator.measuring_queue import MeasuringQueue
from autoreg.orchestrator.plan import Plan
from autoreg.orchestrator.progress.counts import Counts, Verbosity
from autoreg.orchestrator.progress.eta import Tracker
from autoreg.orchestrator.running import RunningBundles
from autoreg.orchestrator.schedule import Schedule
from autoreg.runs.describe import describe
from autoreg.runs.records import TrialResult

SECONDS_BETWEEN_COMMITS = 2.0


class Driver:
    """Decides what becomes of a sweep.

    Args:
        plan: the checked sweep.
        schedule: its trials, with what its searches proposed before.
        place: where files are.
        now: the time, in seconds since 1970.
    """

    def __init__(self, plan: Plan, schedule: Schedule, place: Place, now: float) -> None:
        self.plan, self.schedule, self.place = plan, schedule, place
        self.finished = FinishedLines([state.group for state in schedule.states])
        self._finals = plan.sweep.final_count  # which the sweep works out anew whenever it is asked
        total = self._finals + plan.sweep.tuning_count
        self.counts = Counts(total=total, skipped=0, to_measure=self._finals, began=now)
        self.durations = Durations()
        self.measuring = MeasuringQueue(plan.sweep.resources.measuring)
        self.machine = Machine()
        self.is_stopping = False
        self.is_blocked = False
        self.endings = Endings()
        self._trained_again: set[str] = set()
        self.running = RunningBundles(self.counts.running)
        self._tracker = Tracker(self.counts, schedule, self.measuring, self.durations)
        self._committed_at = now
        self._orders: list[ev.Order] = []
        self._now = now

    def step(self, event: ev.Event, now: float) -> list[ev.Order]:
        """Take note of an event, and return what is to be done, in this order.

        Args:
            event: what has happened.
            now: the time, in seconds since 1970.
        """
        self._orders, self._now = [], now
        match event:
            case ev.Connected():
                self.machine = event.machine
            case ev.WorkerFree():
                self._hand_out()
            case ev.Proposed():
                self.schedule.propose(event.study_id, dict(event.hyperparameters))
                self._hand_out()
            case ev.TrialFound():
                self._record(event.config, event.result, is_here=False, is_measured=event.is_measured)
            case ev.BundleStarted():
                if text := self.running.start(event.name, self._now):
                    self._say(text, Verbosity.VERBOSE)
            case ev.EpochEnded():
                self._progress(event)
            case ev.TrialEnded():
                self._end(event)
            case ev.BundleEnded():
                self._close(event.name, event.failure)
            case ev.MeasuringEnded():
                self._measure(event)
            case ev.StopRequested():
                self._stop()
            case ev.StorageFailed():
                self._block(event.why)
            case ev.BackendLost():
                self.running.put_back(self.schedule)
                self.measuring.put_back()
            case ev.Tick():
                self._tick()
        self.endings.update(self.counts, self._finals)
        return self._orders

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to train."""
        return self.schedule.is_finished()

    @property
    def has_work(self) -> bool:
        """Whether anything is left to train or measure."""
        return not (self.measuring.is_empty and self.is_finished)

    @property
    def progress(self) -> tuple[int, int]:
        """Grows while anything is begun."""
        return self.schedule.handed_out, len(self._trained_again)

    def _hand_out(self) -> None:
        """Start the next bundle, unless a search has to propose first."""
        if self.is_stopping:
            return
        remaining = self.counts.total - self.counts.ended - len(self.schedule.in_flight)
        most = remaining // (2 * self.machine.slots)  # fewer towards the end, so that the last bundles end together
        bundle = next_bundle(self.schedule, self.durations, self._share, most)
        if study_id := self.schedule.waiting_study:
            for job in bundle:
                self.schedule.put_back(job.trial_id)
            self._orders.append(ev.Propose(study_id))
        elif bundle:
            name, share = f"{bundle[0].trial_id}-{bundle[0].attempt}", self._share(bundle[0])
            whole = BundleJob(name, tuple(bundle), tuple(self.plan.measurements), self.place, share)
            self.running.add(whole)
            self._orders.append(ev.StartBundle(whole))

    def _share(self, job: TrialJob) -> Share:
        return share_of(self.machine, self.plan.sweep.resources, job.config.width, job.is_alone)

    def _progress(self, event: ev.EpochEnded) -> None:
        if progress := self.running.progress(event, self._now):
            config, text = progress
            self.durations.note_epoch(config, event.seconds)
            self._say(text, Verbosity.VERBOSE)

    def _end(self, event: ev.TrialEnded) -> None:
        """Take a trial that no process is at any more; told twice, it counts once."""
        config = self.schedule.in_flight.get(event.trial_id)
        if config is None:
            return
        if event.result is None:
            if event.was_trained and not self.is_stopping:
                self._judge(config, UNREADABLE)
            else:  # its state is saved
                self.schedule.end(config, None)
            return
        self._record(config, event.result, is_here=event.was_trained, is_measured=event.is_measured)
        text = self.finished.of(config, self.schedule.variants(event.trial_id), event.result)
        self._say(text if event.was_trained else f"{text} (was trained already)")
        self._orders.append(ev.WriteRows(event.trial_id))

    def _record(self, config: TrialConfig, result: TrialResult, *, is_here: bool, is_measured: bool) -> None:
        """Take a trial's ending, and have it measured."""
        self.endings.add(config, result, is_here=is_here)
        self.schedule.end(config, result)
        self.durations.note_trial(config, result.epochs_run, result.seconds)
        if is_here:
            self._tracker.note_end(self._now, result.seconds)
        if config.kind != "final" or result.status != "done":
            return
        if not is_measured:
            self.measuring.add(config.trial_id)
        elif self.endings.add_measured(config.trial_id) and is_here:
            self._say(f"measured {describe(config)}", Verbosity.VERBOSE)

    def _close(self, name: str, failure: Failure | None) -> None:
        """Take note that a process is done with a bundle, whose trials have begun one after another."""
        left = self.running.left(name, self.schedule)
        self.running.remove(name)
        for config in left if self.is_stopping and not failure else left[1:]:
            self.schedule.put_back(config.trial_id)
        if left and left[0].trial_id in self.schedule.in_flight:
            self._judge(left[0], failure or SILENT)

    def _judge(self, blamed: TrialConfig, failure: Failure) -> None:
        """Have a trial tried again, or give it up, or the whole sweep."""
        trial_id = blamed.trial_id
        self._orders.append(ev.Log(trial_id, f"this try ended: {failure.why}\n{failure.details}"))
        if failure.kind is Kind.UNREACHED:
            self.schedule.note_unreached(trial_id)
        match verdict(failure, self.schedule.tries(trial_id), self.schedule.is_alone(trial_id)):
            case Verdict.STOP:
                self.schedule.put_back(trial_id)
                self._block(failure.why)
            case Verdict.RETRY:
                self.schedule.try_again(trial_id, alone=False)
                self._say(f"tried again: {describe(blamed)}: {failure.why}")
            case Verdict.RETRY_ALONE:
                self.schedule.try_again(trial_id, alone=True)
                self._say(f"tried later with the machine for itself: {describe(blamed)}: {failure.why}")
            case Verdict.GIVE_UP:
                self._orders.append(ev.GiveUp(blamed, failure.at_last()))

    def _measure(self, event: ev.MeasuringEnded) -> None:
        """Have a trial measured again that is not to blame, and trained again if its weights are damaged, once."""
        trial_id, failure = event.trial_id, event.failure
        self.measuring.end(trial_id)
        if trial_id not in self.endings:
            return
        config = self.endings.config(trial_id)
        if failure is None:
            if self.endings.add_measured(trial_id):
                self.durations.note_measuring(config, event.seconds)
                self._say(f"measured {describe(config)}", Verbosity.VERBOSE)
                self._orders.append(ev.WriteRows(trial_id))
        elif failure.kind in (Kind.MEMORY, Kind.TRANSIENT, Kind.UNREACHED) and self.measuring.try_alone(trial_id):
            return
        elif event.is_damaged and trial_id not in self._trained_again:
            self._trained_again.add(trial_id)
            self.endings.remove(trial_id)
            self.schedule.reopen(trial_id)
            self._say(f"trained again: {describe(config)}: {failure.why}")
        elif failure.kind is Kind.STORAGE:
            self._block(failure.why)
        else:
            self.endings.add_unmeasured(trial_id, failure.why)
            self._say(f"not measured {describe(config)}: {failure.why}")

    def _block(self, why: str) -> None:
        """Stop the sweep, since every other trial would fail as well; none is counted as a failed one."""
        if not self.is_blocked:
            self.is_blocked = True
            text = f"stopped: {self.place.runs} cannot be written: {why}; fix it and rerun the same command to resume"
            self.endings.problems["storage"] = text
            self._say(text)
        self._stop()

    def _stop(self) -> None:
        if not self.is_stopping:
            self.is_stopping = self.counts.stopping = True
            self.measuring.stop(self._now)
            self._orders.append(ev.StopWorkers())
            self._say("stopping: running trials save their state; Ctrl-C again stops now", Verbosity.QUIET)

    def _tick(self) -> None:
        """Start what is to be measured, and bring the counts and results.db up to date."""
        for trial_id in self.measuring.start(bool(self.counts.running), self.machine.measuring_slots, self._now):
            measurements, own = tuple(self.plan.measurements), self.endings.config(trial_id).own_code
            is_own = bool(own) or any(measurement.is_own for measurement in measurements)
            self._orders.append(ev.StartMeasuring(MeasuringJob(trial_id, measurements, self.place, is_own)))
        self.counts.measuring = self.endings.shown(self.measuring.running)
        self._tracker.look(self._now, self.machine)
        if self._now - self._committed_at >= SECONDS_BETWEEN_COMMITS:
            self._committed_at = self._now
            self._orders.append(ev.Commit())

    def _say(self, text: str, at: Verbosity = Verbosity.NORMAL) -> None:
        self._orders.append(ev.Say(text, at))
