"""How long a trial takes, as far as trials like it tell; bundles, the ETA and the forecast of a plan ask it.

Initial weights, labels and learning rates change nothing. Between widths the time grows at most with the number of
weights, which is about the square of the width, and with that of the steps.
"""

from collections.abc import Iterable
from math import log
from statistics import median
from typing import NamedTuple

from autoreg.config.trial import Choice, TrialConfig

#: From and to, in seconds.
Range = tuple[float, float]
#: How much is computed of an example, in any unit; and the batch size, 1 where it changes nothing.
Size = tuple[float, int]

#: More values of one key tell no more; the last ones count.
ENOUGH = 20


class Key(NamedTuple):
    """Work that takes the same time at the same width and batch size, but for a few percent."""

    what: str
    network: str
    dataset: str
    augmentation: bool = False
    optimizer: str = ""
    precision: str = ""
    is_averaged: bool = False


def training_key(config: TrialConfig) -> Key:
    """Return what tells an epoch of a trial from those of others."""
    return Key(
        "train", _named(config.network), _named(config.dataset), config.augmentation, _named(config.optimizer),
        config.precision, config.weight_average > 0,
    )  # fmt: skip


def measuring_key(config: TrialConfig) -> Key:
    """Return what tells the measuring of a trial from that of others."""
    return Key("measure", _named(config.network), _named(config.dataset))


def _named(choice: Choice) -> str:
    """Return a choice with its options, and of a user's own also its code, which was another before it was edited."""
    return f"{choice} {choice.source or ''}"


class Durations:
    """Seconds of an epoch and of measuring a trial, by what is trained, its width and its batch size."""

    def __init__(self) -> None:
        self._seen: dict[Key, dict[Size, list[float]]] = {}
        self._epochs: dict[str, tuple[int, int]] = {}

    def note(self, key: Key, size: Size, seconds: float) -> None:
        """Learn what work of a key took at some size."""
        seen = self._seen.setdefault(key, {}).setdefault(size, [])
        seen.append(seconds)
        del seen[:-ENOUGH]

    def note_epoch(self, config: TrialConfig, seconds: float) -> None:
        """Learn what an epoch took."""
        self.note(training_key(config), _size(config), seconds)

    def note_trial(self, config: TrialConfig, epochs: int, seconds: float) -> None:
        """Learn what the training of a trial took, which ran so many epochs."""
        if epochs:
            self.note_epoch(config, seconds / epochs)
            run, allowed = self._epochs.get(config.kind, (0, 0))
            self._epochs[config.kind] = run + epochs, allowed + config.epochs

    def note_measuring(self, config: TrialConfig, seconds: float) -> None:
        """Learn what the measuring of a trial took."""
        self.note(measuring_key(config), (_size(config)[0], 1), seconds)

    def epoch(self, config: TrialConfig) -> Range | None:
        """Return what an epoch takes, from and to; None if nothing like it was seen."""
        return self._range(training_key(config), _size(config))

    def measuring(self, config: TrialConfig) -> Range | None:
        """Return what the measuring of a trial takes, from and to; None if nothing like it was seen."""
        return self._range(measuring_key(config), (_size(config)[0], 1))

    def training(self, config: TrialConfig) -> float | None:
        """Return at most how long a trial trains; None if nothing like it was seen."""
        epoch = self.epoch(config)
        return epoch and epoch[1] * config.epochs

    def known(self, key: Key, size: Size) -> float | None:
        """Return the seconds at just this size; None if none were seen there."""
        seen = self._seen.get(key, {}).get(size)
        return median(seen) if seen else None

    def likely(self, key: Key, size: Size) -> float | None:
        """Return the seconds by the nearest two amounts of work: a fixed part, and one in proportion to the work.

        By one amount alone all of it is in proportion. None if nothing like it was seen.
        """
        near, seen = self._nearest(key, size), self._seen.get(key, {})
        if near is None:
            return None
        seconds = median(seen[near])
        others = [other for other in seen if other[0] != near[0] and other[1] == near[1]]
        slope = seconds / near[0]
        if others:
            other = min(others, key=lambda other: abs(log(other[0] / near[0])))
            slope = max(0.0, (median(seen[other]) - seconds) / (other[0] - near[0]))
        return max(0.0, seconds + slope * (size[0] - near[0]))

    def share_of_epochs(self, kind: str) -> float:
        """Return how many of their epochs trials of a kind have needed; others are pruned or stop early."""
        run, allowed = self._epochs.get(kind, (0, 0))
        return run / allowed if allowed else 1.0

    def _nearest(self, key: Key, size: Size) -> Size | None:
        def distance(seen: Size) -> float:
            return abs(log(seen[0] / size[0])) + abs(log(seen[1] / size[1]))

        return min(self._seen.get(key, ()), key=distance, default=None)

    def _range(self, key: Key, size: Size) -> Range | None:
        """Return the median at this size, or bounds by the nearest that was seen."""
        near = self._nearest(key, size)
        if near is None:
            return None
        seconds, work, steps = median(self._seen[key][near]), size[0] / near[0], near[1] / size[1]
        ends = [seconds * growth * factor for growth in (1.0, work) for factor in (1.0, steps)]
        return min(ends), max(ends)


def _size(config: TrialConfig) -> Size:
    """Return the number of weights, which is about the square of the width, in place of what is computed."""
    return config.width**2, config.effective_batch_size


def total(ranges: Iterable[tuple[Range | None, float]]) -> Range | None:
    """Return the sum of ranges, each so many times; None if one that counts is not known."""
    low = high = 0.0
    for each, count in ranges:
        if count and each is None:
            return None
        if each:
            low, high = low + count * each[0], high + count * each[1]
    return low, high
