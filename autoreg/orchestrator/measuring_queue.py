"""Finished trials that wait to be measured, and when each may start."""

from collections import Counter

from autoreg.orchestrator.failure import TRIES

#: How long a sweep that is to stop waits for what is being measured; the next run measures it then.
SECONDS_AFTER_STOP = 10.0


class MeasuringQueue:
    """A few trials are measured at a time beside the training, and more when nothing trains any more.

    A trial for which the memory did not suffice is measured again when nothing else runs, up to three times in all.

    Args:
        beside: how many are measured at once beside the training.
    """

    def __init__(self, beside: int) -> None:
        self.beside = beside
        #: Since when each trial is being measured, in seconds since 1970.
        self.running: dict[str, float] = {}
        self._waiting: dict[str, None] = {}
        self._alone: dict[str, None] = {}
        self._failures = Counter[str]()
        self._stopped_at: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits or runs."""
        return not (self._waiting or self._alone or self.running)

    @property
    def left(self) -> set[str]:
        """The trials that wait or are being measured."""
        return {*self._waiting, *self._alone, *self.running}

    def add(self, trial_id: str) -> None:
        """Have a trial measured."""
        self._waiting[trial_id] = None

    def stop(self, now: float) -> None:
        """Start no more, and soon wait for none."""
        self._stopped_at = now

    def start(self, is_training: bool, slots: int, now: float) -> list[str]:
        """Return the trials that start now.

        Args:
            is_training: whether anything trains.
            slots: how many may be measured at once when nothing does.
            now: in seconds since 1970.
        """
        if self._stopped_at is not None:
            if now - self._stopped_at > SECONDS_AFTER_STOP:
                self.running.clear()
            return []
        limit = self.beside if is_training else max(self.beside, slots)
        first = list(self._waiting)[: max(0, limit - len(self.running))]
        if not first and self._alone and not (is_training or self.running):
            first = list(self._alone)[:1]
        for trial_id in first:
            self._waiting.pop(trial_id, None)
            self._alone.pop(trial_id, None)
            self.running[trial_id] = now
        return first

    def end(self, trial_id: str) -> None:
        """Take note that a trial is no longer being measured."""
        self.running.pop(trial_id, None)

    def put_back(self) -> None:
        """Take note that nothing is being measured any more; what was, waits first."""
        self._waiting = dict.fromkeys(self.running) | self._waiting
        self.running.clear()

    def try_alone(self, trial_id: str) -> bool:
        """Have a trial measured again when nothing else runs, and return whether it is not given up."""
        self._failures[trial_id] += 1
        if self._failures[trial_id] == TRIES:
            return False
        self._alone[trial_id] = None
        return True
