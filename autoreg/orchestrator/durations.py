"""How long a trial takes, as far as trials like it tell; bundles, the ETA and the forecast of a plan ask it.

Initial weights, labels and learning rates change nothing. Between widths the time grows at most with the number of
weights, which is about the square of the width, and with that of the steps.
"""

from collections.abc import Iterable
from math import log
from statistics import median
from typing import NamedTuple

from autoreg.config.trial import TrialConfig

#: From and to, in seconds.
Range = tuple[float, float]
#: Width and batch size; the latter is 1 where it changes nothing.
Size = tuple[float, int]

#: Between these powers of the width the time of a trial grows.
LEAST_GROWTH, MOST_GROWTH = 0.0, 2.0
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
        "train", str(config.network), str(config.dataset), config.augmentation, str(config.optimizer), config.precision,
        config.weight_average > 0,
    )  # fmt: skip


def measuring_key(config: TrialConfig) -> Key:
    """Return what tells the measuring of a trial from that of others."""
    return Key("measure", str(config.network), str(config.dataset))


class Durations:
    """Seconds of an epoch and of measuring a trial, by what is trained, its width and its batch size."""

    def __init__(self) -> None:
        self._seen: dict[Key, dict[Size, list[float]]] = {}
        self._epochs: dict[str, tuple[int, int]] = {}

    def note(self, key: Key, config: TrialConfig, seconds: float) -> None:
        """Learn what work of a key took at a trial's width and batch size."""
        seen = self._seen.setdefault(key, {}).setdefault(_size(key, config), [])
        seen.append(seconds)
        del seen[:-ENOUGH]

    def note_epoch(self, config: TrialConfig, seconds: float) -> None:
        """Learn what an epoch took."""
        self.note(training_key(config), config, seconds)

    def note_trial(self, config: TrialConfig, epochs: int, seconds: float) -> None:
        """Learn what the training of a trial took, which ran so many epochs."""
        if epochs:
            self.note_epoch(config, seconds / epochs)
            run, allowed = self._epochs.get(config.kind, (0, 0))
            self._epochs[config.kind] = run + epochs, allowed + config.epochs

    def note_measuring(self, config: TrialConfig, seconds: float) -> None:
        """Learn what the measuring of a trial took."""
        self.note(measuring_key(config), config, seconds)

    def epoch(self, config: TrialConfig) -> Range | None:
        """Return what an epoch takes, from and to; None if nothing like it was seen."""
        return self._range(training_key(config), config)

    def measuring(self, config: TrialConfig) -> Range | None:
        """Return what the measuring of a trial takes, from and to; None if nothing like it was seen."""
        return self._range(measuring_key(config), config)

    def training(self, config: TrialConfig) -> float | None:
        """Return at most how long a trial trains; None if nothing like it was seen."""
        epoch = self.epoch(config)
        return epoch and epoch[1] * config.epochs

    def known(self, key: Key, config: TrialConfig) -> float | None:
        """Return the seconds at just this width and batch size; None if none were seen there."""
        seen = self._seen.get(key, {}).get(_size(key, config))
        return median(seen) if seen else None

    def likely(self, key: Key, config: TrialConfig) -> float | None:
        """Return the seconds at the nearest size that was seen, in proportion to the number of weights."""
        near, wanted = self._nearest(key, config), _size(key, config)
        return near and median(self._seen[key][near]) * (wanted[0] / near[0]) ** MOST_GROWTH

    def share_of_epochs(self, kind: str) -> float:
        """Return how many of their epochs trials of a kind have needed; others are pruned or stop early."""
        run, allowed = self._epochs.get(kind, (0, 0))
        return run / allowed if allowed else 1.0

    def _nearest(self, key: Key, config: TrialConfig) -> Size | None:
        wanted = _size(key, config)

        def distance(seen: Size) -> float:
            return MOST_GROWTH * abs(log(seen[0] / wanted[0])) + abs(log(seen[1] / wanted[1]))

        return min(self._seen.get(key, ()), key=distance, default=None)

    def _range(self, key: Key, config: TrialConfig) -> Range | None:
        """Return the median at this width and batch size, or bounds by the nearest that was seen."""
        near, wanted = self._nearest(key, config), _size(key, config)
        if near is None:
            return None
        seconds, wider, steps = median(self._seen[key][near]), wanted[0] / near[0], near[1] / wanted[1]
        ends = [seconds * wider**growth * factor for growth in (LEAST_GROWTH, MOST_GROWTH) for factor in (1.0, steps)]
        return min(ends), max(ends)


def _size(key: Key, config: TrialConfig) -> Size:
    return config.width, config.effective_batch_size if key.what == "train" else 1


def total(ranges: Iterable[tuple[Range | None, float]]) -> Range | None:
    """Return the sum of ranges, each so many times; None if one that counts is not known."""
    low = high = 0.0
    for each, count in ranges:
        if count and each is None:
            return None
        if each:
            low, high = low + count * each[0], high + count * each[1]
    return low, high
