"""The bundles that processes are at, and what of them is shown."""

from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.events import EpochEnded
from autoreg.orchestrator.jobs import BundleJob
from autoreg.orchestrator.progress.counts import RunningTrial
from autoreg.orchestrator.schedule import Schedule
from autoreg.runs.describe import describe


class RunningBundles:
    """Bundles from their start until their process does something else.

    Args:
        shown: the trial of each process that trains, by its bundle's name; kept up to date here.
    """

    def __init__(self, shown: dict[str, RunningTrial]) -> None:
        self._jobs: dict[str, BundleJob] = {}
        self._shown = shown

    @property
    def names(self) -> list[str]:
        """The names of all of them."""
        return list(self._jobs)

    def add(self, job: BundleJob) -> None:
        """Take a bundle that is to start."""
        self._jobs[job.name] = job

    def start(self, name: str, now: float) -> str | None:
        """Show the first trial of a bundle, and return what there is to say; None if it is none of these."""
        job = self._jobs.get(name)
        return f"started  {self._show(job, 0, now)}" if job else None

    def progress(self, event: EpochEnded, now: float) -> tuple[TrialConfig, str] | None:
        """Show how far a trial is, and return it with what there is to say; None if it does not run."""
        job = self._jobs.get(event.bundle)
        configs = [trial.config for trial in job.trials] if job else []
        index = next((index for index, config in enumerate(configs) if config.trial_id == event.trial_id), None)
        if job is None or index is None:
            return None
        if event.bundle not in self._shown or self._shown[event.bundle].config.trial_id != event.trial_id:
            self._show(job, index, now)
        self._shown[event.bundle].update(now, event.epoch, event.loss, event.accuracy, event.seconds)
        config, loss = configs[index], "not finite" if event.loss is None else f"{event.loss:.4g}"
        numbers = f"loss {loss}, validation accuracy {event.accuracy:.1%}"
        return config, f"epoch {event.epoch}/{config.epochs} of {describe(config)}: {numbers}"

    def left(self, name: str, schedule: Schedule) -> list[TrialConfig]:
        """Return the trials of a bundle that have not ended, in their order."""
        job = self._jobs.get(name)
        return [trial.config for trial in (job.trials if job else ()) if schedule.is_at(trial)]

    def put_back(self, schedule: Schedule) -> None:
        """Give all that has not ended back to the schedule; none of it is to blame."""
        for name in self.names:
            for config in self.left(name, schedule):
                schedule.put_back(config.trial_id)
            self.remove(name)

    def remove(self, name: str) -> None:
        """Take note that a bundle's process does something else now."""
        self._jobs.pop(name, None)
        self._shown.pop(name, None)

    def _show(self, job: BundleJob, index: int, now: float) -> str:
        config, more = job.trials[index].config, len(job.trials) - 1 - index
        self._shown[job.name] = RunningTrial(config, now, more=more)
        return describe(config) + (f" and {more} more" if more else "")
