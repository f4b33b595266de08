"""Packs: tiny trials that one trial of Ray Tune trains one after another, since Tune takes longer than they do."""

from collections.abc import Callable
from typing import Any

from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.group_state import Assignment
from autoreg.orchestrator.schedule import Schedule
from autoreg.runs.records import TrialResult

#: The trials of a pack by id, in the order in which they are trained.
Pack = dict[str, TrialConfig]

#: About how long a pack trains: long beside what Tune takes to start one, short beside what a person waits for.
SECONDS = 4.0


class Pace:
    """How long trials take, as far as those that have ended tell."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, str, bool], dict[tuple[float, int], float]] = {}

    def note(self, config: TrialConfig, result: TrialResult) -> None:
        """Learn from a trial that has ended; only the last of its network, width and batch size counts."""
        if result.epochs_run:
            like = self._seconds.setdefault(_kind(config), {})
            like[config.width, config.effective_batch_size] = result.seconds / result.epochs_run

    def seconds(self, config: TrialConfig) -> float | None:
        """Return how long a trial will about take to train; None if nothing like it has ended.

        Cost grows at most with the number of weights, which is about the square of the width, and with that of steps.
        """
        estimates = [
            seconds * max(1.0, config.width / width) ** 2 * max(1.0, batch_size / config.effective_batch_size)
            for (width, batch_size), seconds in self._seconds.get(_kind(config), {}).items()
        ]
        return min(estimates) * config.epochs if estimates else None


def _kind(config: TrialConfig) -> tuple[str, str, bool]:
    return str(config.network), str(config.dataset), config.augmentation


class Packer:
    """Hands out what a schedule has ready, in packs of about `SECONDS`.

    A trial that was tried before goes alone, so that it takes no other with it; so does one of which it is not known
    how long it takes. Towards the end packs get smaller, so that the last ones end at about the same time.

    Args:
        schedule: has the trials.
        pace: knows how long they take.
        resources: what of the machine a trial gets; those of a pack get the same.
        slots: how many trials run at once.
        remaining: tells how many trials are left to hand out.
    """

    def __init__(
        self,
        schedule: Schedule,
        pace: Pace,
        resources: Callable[[Assignment], Any],
        slots: int,
        remaining: Callable[[], int],
    ) -> None:
        self._schedule, self._pace, self._resources = schedule, pace, resources
        self._slots, self._remaining = slots, remaining

    def next(self) -> list[Assignment]:
        """Return the next pack and count its trials as in flight; nothing if no trial can start now."""
        most = self._remaining() // (2 * self._slots)
        first = self._schedule.next()
        if first is None:
            return []
        pack, seconds = [first], self._pace.seconds(first.config)
        if first.attempt or first.alone or seconds is None:
            return pack
        while len(pack) < most and (another := self._schedule.next()):
            more = self._pace.seconds(another.config)
            is_fitting = more is not None and seconds + more <= SECONDS and not another.attempt
            if more is None or not is_fitting or self._resources(another) != self._resources(first):
                self._schedule.put_back(another.trial_id)
                break
            pack.append(another)
            seconds += more
        return pack
