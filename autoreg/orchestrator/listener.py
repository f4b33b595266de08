"""What becomes of the packs that Ray Tune trains, told by its callback."""

import time
from typing import TYPE_CHECKING, Any

from autoreg.config.trial import TrialConfig
from autoreg.errors import AutoregError, first_line
from autoreg.orchestrator.bundles import Bundle
from autoreg.orchestrator.failure import failure_of
from autoreg.orchestrator.progress.counts import RunningTrial
from autoreg.orchestrator.progress.terminal import Verbosity
from autoreg.orchestrator.ray_runtime import worker
from autoreg.runs.describe import describe
from autoreg.runs.log import TrialLog

if TYPE_CHECKING:
    from autoreg.orchestrator.driver import RunningSweep


class TrialListener:
    """Tells a sweep which of its trials run, have ended, or were let down by the machine."""

    def __init__(self, sweep: "RunningSweep") -> None:
        self._sweep = sweep

    def tick(self) -> None:
        """Let the sweep do its own work."""
        self._sweep.tick()

    def gone_wrong(self, error: Exception) -> None:
        """Note an error in one of the methods."""
        self._sweep.gone_wrong(error)

    def pack_started(self, pack: Bundle) -> None:
        """Show the first trial of a pack."""
        first, more = next(iter(pack.values())), len(pack) - 1
        self._sweep.training_since = self._sweep.training_since or time.time()
        self._sweep.counts.running[_name(pack)] = RunningTrial.of(first, time.time(), more)
        self._say(f"started  {describe(first)}" + (f" and {more} more" if more else ""))

    def pack_progressed(self, pack: Bundle, report: dict[str, Any]) -> None:
        """Take note of the trials that have ended, and show how far the running one is."""
        for trial_id, trained in report["ended"].items():
            self._sweep.trial_ended(pack[trial_id], trained)
        if trial_id := report.get("running"):
            self._epoch(pack, pack[trial_id], report)

    def _epoch(self, pack: Bundle, config: TrialConfig, report: dict[str, Any]) -> None:
        """Show how far a trial is."""
        running, now = self._sweep.counts.running, time.time()
        trial = running.get(_name(pack))
        if trial is None or trial.trial_id != config.trial_id:
            more = len(pack) - 1 - list(pack).index(config.trial_id)
            trial = running[_name(pack)] = RunningTrial.of(config, now, more)
        loss, accuracy, seconds = report["loss"], report["accuracy"], report["seconds"]
        trial.told(now, report["epoch"], loss, accuracy, seconds)
        self._sweep.durations.note_epoch(config, seconds)
        figures = f"loss {'not finite' if loss is None else f'{loss:.4g}'}, validation accuracy {accuracy:.1%}"
        self._say(f"epoch {trial.epoch}/{trial.epochs} of {describe(config)}: {figures}")

    def _say(self, text: str) -> None:
        self._sweep.display.line(text, Verbosity.VERBOSE)

    def _gone(self, pack: Bundle) -> None:
        """Take note that a pack's process does something else now."""
        self._sweep.counts.running.pop(_name(pack), None)

    def pack_ended(self, pack: Bundle) -> None:
        """Take note of the trials that were not reported as ended: the user has stopped them."""
        self._gone(pack)
        for trial_id, config in pack.items():
            if trial_id in self._sweep.schedule.in_flight:
                self._sweep.trial_ended(config, trained=True)

    def pack_failed(self, pack: Bundle, error: str) -> None:
        """Blame the first trial that has not ended; those after it have not begun.

        Args:
            pack: the trials.
            error: all that Ray tells of it.
        """
        self._gone(pack)
        blamed: TrialConfig | None = None
        for trial_id, config in pack.items():
            if trial_id not in self._sweep.schedule.in_flight:
                continue
            if blamed:
                self._sweep.schedule.put_back(trial_id)
            elif self._sweep.runs.trial(trial_id).is_trained:
                self._sweep.trial_ended(config, trained=True)
            else:
                blamed = config
        if blamed:
            self._try_failed(blamed, error)

    def _try_failed(self, config: TrialConfig, error: str) -> None:
        """Have a trial tried again that the machine let down, or give it up."""
        trial_id = config.trial_id
        failure = failure_of(error, self._sweep.trace(trial_id), self._sweep.plan.sweep.resources.time_limit_hours)
        folder = self._sweep.runs.trial(trial_id)
        with TrialLog(folder.log_path) as log:
            log.say(f"this try ended: {failure.why}\n{failure.details}")
        if failure.is_storage:
            self._sweep.block(failure.why)
            return
        if not failure.is_final and self._sweep.schedule.try_again(trial_id, alone=failure.wants_memory):
            how = "later with the machine for itself" if failure.wants_memory else "again"
            self._sweep.display.line(f"tried {how}: {describe(config)}: {failure.why}")
            return
        why = failure.why if failure.is_final else f"gave up after several tries: {failure.why}"
        try:
            folder.write_config(config)
            folder.write_result(worker.failed_result(AutoregError(why), failure.details))
        except OSError as error_here:
            self._sweep.block(first_line(error_here))
            return
        self._sweep.trial_ended(config, trained=True)


def _name(pack: Bundle) -> str:
    """Return what tells the pack from the others that run."""
    return next(iter(pack))
