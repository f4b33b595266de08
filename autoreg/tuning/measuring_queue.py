"""Finished trials that wait to be measured, and the Ray tasks that measure them while others still train."""

from pathlib import Path
from typing import Any

from autoreg.errors import first_line
from autoreg.measuring import Measurement
from autoreg.runs import Runs, TrialFolder
from autoreg.tuning import worker


class MeasuringQueue:
    """Measures trials, a few at a time beside the training, and on all cores when nothing trains any more.

    Tasks take no CPU from Ray: Tune keeps all of them reserved while it has trials, and a task would never start.

    Args:
        wanted: what is measured of each trial.
        runs: the run folder.
        root: the folder that holds data, or None for AUTOREG_DATA.
        at_once: how many tasks run beside the training.
    """

    def __init__(self, wanted: list[Measurement], runs: Runs, root: Path | None, at_once: int) -> None:
        self._wanted, self._runs, self._root = wanted, runs, str(root.absolute()) if root else None
        self._at_once = at_once
        self._waiting: list[TrialFolder] = []
        self._running: dict[Any, TrialFolder] = {}
        self._ray: Any = None
        self._cores, self._gpus = 1, 0

    def connect(self, ray: Any) -> None:
        """Use a Ray session; before that, trials only wait."""
        resources = ray.cluster_resources()
        self._ray, self._cores, self._gpus = ray, int(resources["CPU"]), int(resources.get("GPU", 0))
        self._task = ray.remote(num_cpus=0, max_retries=3)(worker.measure)

    def add(self, folder: TrialFolder) -> bool:
        """Have a trial measured; return False if nothing of it is missing."""
        if all(measurement.path(folder).is_file() for measurement in self._wanted):
            return False
        self._waiting.append(folder)
        return True

    @property
    def is_idle(self) -> bool:
        """Whether no task runs."""
        return not self._running

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits or runs."""
        return not (self._waiting or self._running)

    def collect(self, timeout: float = 0.0) -> list[tuple[TrialFolder, str | None]]:
        """Return the trials whose tasks have ended by now, each with what went wrong, if anything."""
        if not self._running:
            return []
        ended, _ = self._ray.wait(list(self._running), num_returns=len(self._running), timeout=timeout)
        return [(self._running.pop(reference), self._problem(reference)) for reference in ended]

    def start(self, training: bool) -> None:
        """Start as many of the waiting as may run now: on GPUs, whose memory they share, never more than asked for."""
        alone = self._at_once * self._gpus if self._gpus else max(self._at_once, self._cores)
        limit = self._at_once if training else alone
        while self._waiting and len(self._running) < limit:
            folder = self._waiting.pop(0)
            reference = self._task.remote(folder.trial_id, str(self._runs.root), self._wanted, self._root)
            self._running[reference] = folder

    def _problem(self, reference: Any) -> str | None:
        try:
            self._ray.get(reference)
        except Exception as error:
            cause = getattr(error, "cause", None) or error
            return f"{type(cause).__name__}: {first_line(cause)}"
        return None
