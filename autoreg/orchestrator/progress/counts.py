"""How a sweep stands, in numbers."""

from dataclasses import dataclass, field
from enum import IntEnum

from autoreg.config.trial import TrialConfig


class Verbosity(IntEnum):
    """How much is said: problems only; what has ended; everything."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


@dataclass
class RunningTrial:
    """A trial in training, as its process has told last. Times are seconds since 1970.

    Attributes:
        config: what it is.
        since: when it was begun, or told last.
        epoch: how many it has done.
        loss: of the last epoch's training batches; None before the first, and where it was not finite.
        accuracy: on the validation split, in [0, 1]; None before the first epoch.
        seconds_per_epoch: as the last epochs took; None before the first.
        more: how many trials of its bundle come after it.
    """

    config: TrialConfig
    since: float
    epoch: int = 0
    loss: float | None = None
    accuracy: float | None = None
    seconds_per_epoch: float | None = None
    more: int = 0

    def update(self, now: float, epoch: int, loss: float | None, accuracy: float, seconds: float) -> None:
        """Take note of an epoch. The time of one is smoothed, or what is left of the trial would jump."""
        before = self.seconds_per_epoch
        self.seconds_per_epoch = seconds if before is None else 0.7 * before + 0.3 * seconds
        self.since, self.epoch, self.loss, self.accuracy = now, epoch, loss, accuracy

    def seconds_left(self, now: float) -> float | None:
        """Return how long it will take to its last epoch, which it may not need; None before the first epoch."""
        if self.seconds_per_epoch is None:
            return None
        return max(0.0, (self.config.epochs - self.epoch) * self.seconds_per_epoch - (now - self.since))


@dataclass
class MeasuredTrial:
    """A trial that is being measured, since a number of seconds after 1970."""

    name: str
    since: float


@dataclass
class GroupCounts:
    """How many groups (a network at one size with one setting) stand where."""

    waiting: int = 0
    tuning: int = 0
    training: int = 0
    measuring: int = 0
    done: int = 0


@dataclass
class Counts:
    """How a sweep stands.

    Attributes:
        total: trials that it asks for.
        skipped: those that had ended before, or that another sweep has trained.
        done: those that have ended now and well.
        failed: those that have ended now and failed.
        measured: final trials that are measured.
        to_measure: final trials that are measured or are to be.
        began: when it began, in seconds since 1970.
        running: a trial for each process that trains, by a name of the process's work.
        measuring: the trials that are being measured in processes of their own, by id.
        groups: how its groups stand.
        seconds_left: how long it will take, from and to; None while nothing tells.
        trials_per_minute: how many ended in the last minute; None while too few have.
        stopping: whether it begins no further trials, since the user has stopped it.
    """

    total: int
    skipped: int
    done: int = 0
    failed: int = 0
    measured: int = 0
    to_measure: int = 0
    began: float = 0.0
    running: dict[str, RunningTrial] = field(default_factory=dict)
    measuring: dict[str, MeasuredTrial] = field(default_factory=dict)
    groups: GroupCounts = field(default_factory=GroupCounts)
    seconds_left: tuple[float, float] | None = None
    trials_per_minute: float | None = None
    stopping: bool = False

    @property
    def ended(self) -> int:
        """How many trials have ended, whenever and however."""
        return self.skipped + self.done + self.failed
