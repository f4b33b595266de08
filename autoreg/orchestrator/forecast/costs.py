"""What the trials of one setting cost: by trials like them that have ended, else by the calibration."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Literal

from autoreg.orchestrator.bundles import SECONDS as SECONDS_OF_A_PACK
from autoreg.orchestrator.forecast.calibration import Calibration
from autoreg.orchestrator.forecast.history import History
from autoreg.orchestrator.forecast.sizes import BLOCK, Size, on_disk, record_bytes
from autoreg.orchestrator.forecast.subject import Subject
from autoreg.orchestrator.forecast.timetable import Job
from autoreg.orchestrator.forecast.work import Left, Setting
from autoreg.training.loop import SECONDS_BETWEEN_CHECKPOINTS

#: What Ray Tune takes for one of its trials, which may carry several tiny ones of ours.
SECONDS_OF_TUNE = 0.4

#: What tells how long an epoch takes: finished trials, real steps, or real steps at other widths and the FLOPs.
Source = Literal["finished trials", "timed", "by FLOPs"]


@dataclass(frozen=True)
class Costs:
    """What the trials of one setting cost.

    Attributes:
        setting: the setting.
        size: of its network.
        subject: its network, as it was timed.
        history: trials that have ended on such a device.
        calibration: how fast this machine is.
    """

    setting: Setting
    size: Size
    subject: Subject
    history: History
    calibration: Calibration

    @property
    def source(self) -> Source | None:
        """What tells how long its epochs take; None if nothing does."""
        sizes = self.setting.batch_sizes()
        if sizes and all(self.history.epoch_seconds(self.subject.place(size)) for size in sizes):
            return "finished trials"
        if self.calibration.is_timed(self.subject):
            return "timed"
        return None if self.epoch_seconds(tuple(sizes)) is None else "by FLOPs"

    def epoch_seconds(self, batch_sizes: Sequence[int]) -> float | None:
        """Return the seconds of an epoch, at the mean of some batch sizes."""
        found = [
            self.history.epoch_seconds(self.subject.place(size)) or self.calibration.epoch_seconds(self.subject, size)
            for size in batch_sizes
        ]
        known = [seconds for seconds in found if seconds is not None]
        return mean(known) if known and len(known) == len(found) else None

    def trial_seconds(self, left: Left, *, is_final: bool) -> float | None:
        """Return the seconds from a trial's start until it is trained and measured; None if nothing tells."""
        epoch = self.epoch_seconds(left.batch_sizes)
        if epoch is None:
            return None
        seconds = self.calibration.start_seconds(self.subject) + left.epochs * epoch
        if is_final:
            dataset = self.subject.dataset
            passes = len(dataset.train) + len(dataset.validation) + len(dataset.test)
            seconds += passes * self.calibration.evaluation_seconds(self.subject) + self.measuring_seconds
        return seconds + SECONDS_OF_TUNE * min(1.0, seconds / SECONDS_OF_A_PACK)

    @property
    def measuring_seconds(self) -> float:
        """The seconds for which measuring a trial keeps others from the cores that training one takes."""
        seconds = self.calibration.measuring_seconds(self.subject) or 0.0
        is_on_cpu = self.subject.where.device == "cpu"
        return seconds / self.subject.where.threads if is_on_cpu else seconds

    def job(self, share: float) -> Job | None:
        """Return what is left, in seconds; None if nothing tells.

        Args:
            share: of the machine that one trial occupies.
        """
        setting = self.setting
        tuning = [self.trial_seconds(left, is_final=False) for left in setting.tuning]
        finals = [[self.trial_seconds(left, is_final=True) for left in chain] for chain in setting.finals]
        finals += [[self.measuring_seconds] for _ in range(setting.unmeasured)]
        if None in tuning or any(None in chain for chain in finals):
            return None
        tune = setting.group.tune
        at_once = max(0, tune.startup - (tune.trials - len(tuning))) if tune else 0
        return Job(share, tuning, at_once, finals)  # type: ignore[arg-type]

    @property
    def is_measuring_known(self) -> bool:
        """Whether anything tells how large the measurements of its trials are."""
        return bool(self.measurement_bytes) or not (self.setting.finals or self.setting.unmeasured)

    @property
    def disk_bytes(self) -> int:
        """The bytes of all trials that are left."""
        setting, files = self.setting, len(self.subject.measurements)
        measured = on_disk(self.measurement_bytes) + files * BLOCK  # their folder, and blocks that are not full
        tuning = sum(record_bytes(left.epochs) for left in setting.tuning)
        lengths = [left.epochs for chain in setting.finals for left in chain]
        finals = sum(on_disk(self.size.checkpoint_bytes) + measured + record_bytes(epochs) for epochs in lengths)
        return tuning + finals + setting.unmeasured * measured

    @property
    def measurement_bytes(self) -> float:
        """The bytes of a trial's measurements; 0 if nothing tells."""
        measured = self.history.measurement_bytes(self.subject.config)
        return measured or self.calibration.measurement_bytes(self.subject) or 0.0

    def state_bytes(self, at_once: int) -> int:
        """Return the bytes of the states of so many running trials: of each the last two, if it trains long enough."""
        setting = self.setting
        left = [*setting.tuning, *(one for chain in setting.finals for one in chain)]
        seconds = [one.epochs * (self.epoch_seconds(one.batch_sizes) or 0.0) for one in left]
        saving = sum(spent > SECONDS_BETWEEN_CHECKPOINTS for spent in seconds)
        return 2 * self.size.state_bytes * min(at_once, saving)
