"""When a trial's state is saved, and when its training stops because that is wanted."""

import time
from collections.abc import Callable

#: A trial that was killed repeats at most this much work.
SECONDS_BETWEEN_SAVES = 30.0
#: Where saving takes longer, it is done less often by as much: a large network on a slow disk would hardly train.
SECONDS_TO_SAVE = 1.5
#: Whether it is to stop is looked up at most this often: the answer lies on a disk, and steps may be short.
SECONDS_BETWEEN_LOOKS = 1.0


class Stopped(Exception):
    """A trial was asked to stop before its end."""


class Keeper:
    """Saves a trial's state now and then, and ends its training when that is wanted, between any two steps.

    Args:
        save: saves the state.
        stop: says whether the training is to stop.
    """

    def __init__(self, save: Callable[[], None], stop: Callable[[], bool]) -> None:
        self._save, self._stop = save, stop
        self._saved_at = self._looked_at = time.monotonic()
        self._pause = SECONDS_BETWEEN_SAVES

    def after_step(self) -> None:
        """Do what is due within an epoch. Raises Stopped."""
        if self._may_look():
            self.after_epoch()

    def after_epoch(self) -> None:
        """Do what is due between two epochs. Raises Stopped."""
        self._look()
        began = time.monotonic()
        if began - self._saved_at >= self._pause:
            self._save()
            self._saved_at = time.monotonic()
            self._pause = SECONDS_BETWEEN_SAVES * max(1.0, (self._saved_at - began) / SECONDS_TO_SAVE)

    def in_evaluation(self) -> None:
        """Raise Stopped if that is wanted; there is nothing to save."""
        if self._may_look():
            self._look()

    def _may_look(self) -> bool:
        return time.monotonic() - self._looked_at >= SECONDS_BETWEEN_LOOKS

    def _look(self) -> None:
        self._looked_at = time.monotonic()
        if self._stop():
            raise Stopped
