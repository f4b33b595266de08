"""What the trials of one group will take: by trials like them that have ended, else by the steps that were timed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.bundles import SECONDS as SECONDS_OF_A_BUNDLE
from autoreg.orchestrator.durations import Durations
from autoreg.orchestrator.forecast.cost import Costs, Network
from autoreg.orchestrator.forecast.left import GroupLeft, TrialLeft
from autoreg.orchestrator.forecast.size import BLOCK, Size, on_disk, record_bytes
from autoreg.training.loop import SECONDS_BETWEEN_CHECKPOINTS

#: What Ray Tune takes for one of its trials, which may be a bundle of several tiny ones of ours.
SECONDS_OF_TUNE = 0.4
#: So many times as long trials take on the cores of one machine beside each other, which share its memory and clock.
SLOWDOWN_BY_OTHERS = 1.15

#: What tells how long an epoch takes: finished trials, real steps, or real steps at other widths and the FLOPs.
Source = Literal["finished trials", "timed", "by FLOPs"]


@dataclass(frozen=True)
class GroupForecast:
    """What one group will take.

    Attributes:
        left: what is left of it.
        size: of its network.
        network: its network.
        at_once: how many of its trials run at the same time, at most.
        finished: how long the epochs of finished trials took, on such a device.
        costs: what was timed.
    """

    left: GroupLeft
    size: Size
    network: Network
    at_once: int
    finished: Durations
    costs: Costs

    @property
    def next_trial(self) -> TrialConfig:
        """The first trial that is left, or another one like it."""
        return next((trial.config for trial in (*self.left.finals, *self.left.tuning)), self.left.group.template)

    def networks(self) -> Iterator[Network]:
        """Yield what may be timed: its network, with the batch size of each of its trials, also of ended ones."""
        left = [trial.config for trial in self.left.trials]
        for config in (*left, *self.left.ended["tune"], *self.left.ended["final"]):
            yield replace(self.network, config=config)

    @property
    def epoch_seconds(self) -> float | None:
        """Of an epoch of the next trial; None if nothing tells."""
        return self._epoch(self.next_trial)

    @property
    def source(self) -> Source | None:
        """What tells how long that epoch takes."""
        if self.finished.known_epoch(self.next_trial):
            return "finished trials"
        if self.timed_epoch(self.next_trial) is None:
            return None
        return "timed" if self.costs.is_timed(replace(self.network, config=self.next_trial)) else "by FLOPs"

    def timed_epoch(self, config: TrialConfig) -> float | None:
        """Return the seconds of an epoch of a trial of its network by what was timed; None if nothing tells."""
        timed = self.costs.training(replace(self.network, config=config))
        return timed and timed.seconds * self._slowdown

    def _epoch(self, config: TrialConfig) -> float | None:
        return self.finished.known_epoch(config) or self.timed_epoch(config)

    @property
    def _slowdown(self) -> float:
        return SLOWDOWN_BY_OTHERS if self.network.device == "cpu" and self.at_once > 1 else 1.0

    @cached_property
    def _measuring_seconds(self) -> float:
        """The seconds for which measuring a trial keeps others from what training one takes; 0 if nothing tells."""
        timed = self.costs.measuring(self.network)
        return timed.seconds * self._slowdown / self.network.cores if timed else 0.0

    def _seconds(self, trial: TrialLeft) -> float | None:
        """Return the seconds of a trial until it is trained and measured; None if nothing tells."""
        if (epoch := self._epoch(trial.config)) is None:
            return None
        seconds = trial.epochs * epoch
        if trial.config.kind == "final":
            seconds += epoch * self.network.forward_share + self._measuring_seconds
        return seconds + SECONDS_OF_TUNE * min(1.0, seconds / SECONDS_OF_A_BUNDLE)

    @cached_property
    def seconds(self) -> float | None:
        """Of all its trials that are left, one after another, measuring included; None if nothing tells."""
        total = self.left.unmeasured * self._measuring_seconds
        for trial in self.left.trials:
            if (seconds := self._seconds(trial)) is None:
                return None
            total += seconds
        return total

    @cached_property
    def longest(self) -> float:
        """The seconds of the longest row of its trials of which each waits for the one before."""
        tune, left = self.left.group.tune, len(self.left.tuning)
        first = max(0, tune.startup - (tune.trials - left)) if tune else 0  # those that do not wait for each other
        rounds = left - max(0, first - 1)
        tuning = max((self._seconds(trial) or 0.0 for trial in self.left.tuning), default=0.0)
        chains = [sum(self._seconds(trial) or 0.0 for trial in chain) for chain in self.left.chains]
        return rounds * tuning + max(chains, default=0.0)

    @property
    def is_measuring_known(self) -> bool:
        """Whether anything tells how large the measurements of its trials are."""
        is_asked = self.network.measurements and (self.left.chains or self.left.unmeasured)
        return not is_asked or self.costs.measuring(self.network) is not None

    @property
    def disk_bytes(self) -> int:
        """Of what its trials add to the run folder."""
        timed = self.costs.measuring(self.network)
        files = len(self.network.measurements)
        measured = on_disk(timed.size if timed else 0.0) + files * BLOCK  # their folder, and blocks that are not full
        records = sum(record_bytes(trial.epochs) for trial in self.left.trials)
        finals = len(self.left.finals) * (on_disk(self.size.checkpoint_bytes) + measured)
        return records + finals + self.left.unmeasured * measured

    @property
    def state_bytes(self) -> int:
        """Beside that, of the states of those that run: of each the last two, if it trains long enough."""
        seconds = [trial.epochs * (self._epoch(trial.config) or 0.0) for trial in self.left.trials]
        saving = sum(value > SECONDS_BETWEEN_CHECKPOINTS for value in seconds)
        return 2 * self.size.state_bytes * min(self.at_once, saving)
