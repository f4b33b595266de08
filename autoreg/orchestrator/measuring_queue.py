"""Finished trials that wait to be measured, and the Ray tasks that measure them while others still train."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoreg.errors import first_line
from autoreg.metrics.measure import Measurement
from autoreg.orchestrator.failure import Failure, failure_of
from autoreg.orchestrator.ray_runtime import worker
from autoreg.runs.folder import TrialFolder
from autoreg.training.checkpoints import DamagedCheckpoint


@dataclass(frozen=True)
class Measured:
    """How the measuring of a trial ended.

    Attributes:
        folder: the trial's.
        failure: what went wrong, or None.
        is_damaged: whether its weights turned out to be damaged, so that it has to be trained again.
        seconds: how long it took.
    """

    folder: TrialFolder
    failure: Failure | None = None
    is_damaged: bool = False
    seconds: float = 0.0


class MeasuringQueue:
    """Measures trials, a few at a time beside the training, and on all cores when nothing trains any more.

    Tasks take no CPU from Ray: Tune keeps all of them reserved while it has trials, and a task would never start. A
    trial for which the memory did not suffice is measured once more, when nothing else runs.

    Args:
        wanted: what is measured of each trial.
        runs: the run folder.
        root: the folder that holds data, or None for AUTOREG_DATA.
        at_once: how many tasks run beside the training.
        time_limit_hours: how long one may take.
        trace: the file in which a trial's process leaves its stacks when its time is over.
    """

    def __init__(
        self,
        wanted: list[Measurement],
        root: Path | None,
        at_once: int,
        time_limit_hours: float | None,
        trace: Callable[[str], Path],
    ) -> None:
        self._wanted, self._root = wanted, str(root.absolute()) if root else None
        self._at_once = at_once
        self._hours, self._trace = time_limit_hours, trace
        self._waiting: list[TrialFolder] = []
        self._alone: list[TrialFolder] = []
        self._tried: set[str] = set()
        self._running: dict[Any, tuple[TrialFolder, float]] = {}
        self._ray: Any = None
        self._cores, self._gpus = 1, 0

    def connect(self, ray: Any) -> None:
        """Use a Ray session; before that, trials only wait."""
        resources = ray.cluster_resources()
        self._ray, self._cores, self._gpus = ray, int(resources["CPU"]), int(resources.get("GPU", 0))
        self._task = ray.remote(num_cpus=0, max_retries=0)(worker.measure)

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
        return not (self._waiting or self._alone or self._running)

    @property
    def slots(self) -> tuple[int, int]:
        """How many trials are measured at once beside training, and without."""
        alone = self._at_once * self._gpus if self._gpus else max(self._at_once, self._cores)
        return self._at_once, alone

    @property
    def running(self) -> dict[str, float]:
        """Since when each trial is being measured, in seconds since 1970."""
        return {folder.trial_id: since for folder, since in self._running.values()}

    @property
    def left(self) -> set[str]:
        """The trials that wait or are being measured."""
        return {folder.trial_id for folder in (*self._waiting, *self._alone)} | self.running.keys()

    def collect(self, timeout: float = 0.0) -> Iterator[Measured]:
        """Yield the trials whose tasks have ended by now."""
        if not self._running:
            return
        ended, _ = self._ray.wait(list(self._running), num_returns=len(self._running), timeout=timeout)
        for reference in ended:
            folder, since = self._running.pop(reference)
            try:
                self._ray.get(reference)
            except Exception as error:
                cause = getattr(error, "cause", None) or error
                about = f"{type(cause).__name__}: {first_line(cause)}"
                failure = failure_of(about, self._trace(folder.trial_id), self._hours)
                if failure.wants_memory and folder.trial_id not in self._tried:
                    self._tried.add(folder.trial_id)
                    self._alone.append(folder)
                else:
                    yield Measured(folder, failure, isinstance(cause, DamagedCheckpoint))
            else:
                yield Measured(folder, seconds=time.time() - since)

    def start(self, training: bool) -> None:
        """Start as many of the waiting as may run now: on GPUs, whose memory they share, never more than asked for."""
        limit = self._at_once if training else self.slots[1]
        while self._waiting and len(self._running) < limit:
            self._start(self._waiting.pop(0))
        if self._alone and not (training or self._running):
            self._start(self._alone.pop(0))

    def _start(self, folder: TrialFolder) -> None:
        limit = self._hours and self._hours * 3600
        trace = str(self._trace(folder.trial_id))
        reference = self._task.remote(folder.trial_id, str(folder.path.parent), self._wanted, self._root, limit, trace)
        self._running[reference] = folder, time.time()
