"""What a worker is told: a bundle of trials to train one after another, or a trial to measure."""

import math
from dataclasses import dataclass
from pathlib import Path

from autoreg.config.sections import Resources
from autoreg.config.trial import TrialConfig
from autoreg.metrics.measure import Measurement


@dataclass(frozen=True)
class Machine:
    """What trials run on.

    Attributes:
        cores: of the largest node.
        slots: how many trials are trained at once.
        measuring_slots: how many are measured at once when none is trained any more.
        gpus: how many there are.
    """

    cores: int = 1
    slots: int = 1
    measuring_slots: int = 1
    gpus: int = 0

    def at_once(self, share: "Share") -> int:
        """Return how many processes of a share run at the same time, at most."""
        on_gpus = int(self.gpus / share.gpu + 1e-9) if share.gpu else self.cores
        return max(1, min(self.cores // share.cpus, on_gpus))


@dataclass(frozen=True)
class Share:
    """What of a machine a process gets.

    Attributes:
        threads: that it computes with; as many alone as beside others, or sums would come out in another order.
        cpus: cores that no other process is given.
        gpu: GPUs, or the share of one.
        kernel: whether the compiled kernel may be used.
    """

    threads: int = 1
    cpus: int = 1
    gpu: float = 0.0
    kernel: bool = True


def share_of(machine: Machine, resources: Resources, width: float, is_alone: bool) -> Share:
    """Return what a trial of that width gets of the machine; alone, all the cores and whole GPUs."""
    threads = min(resources.cpus, machine.cores)
    gpu = resources.gpu_share(width) if machine.gpus else 0.0
    cpus, gpu = (machine.cores, math.ceil(gpu)) if is_alone else (threads, gpu)
    return Share(threads, cpus, gpu, resources.kernel == "auto")


@dataclass(frozen=True)
class Place:
    """Where the files of a sweep are, and how long one of its trials may take.

    Attributes:
        runs: the run folder.
        data: the folder that holds data, or None for AUTOREG_DATA.
        scratch: a folder for this run of the sweep, removed when it ends.
        seconds: how long a trial may be trained, or measured; None for as long as it takes.
    """

    runs: Path
    data: Path | None
    scratch: Path
    seconds: float | None = None

    @property
    def stop_file(self) -> Path:
        """Is there once running trials are to save their state and end; it reaches all nodes."""
        return self.scratch / "stop"

    def waiting(self, bundle: str) -> Path:
        """Is there while the process of a bundle waits until its report is taken."""
        return self.scratch / f"{bundle} waits"

    def over(self, bundle: str) -> Path:
        """Is there once the driver counts no more on the process of a bundle, which may not know."""
        return self.scratch / f"{bundle} is over"

    def trace(self, trial_id: str) -> Path:
        """Return the file in which a trial's process leaves its stacks when its time is over."""
        return self.scratch / "traces" / trial_id


@dataclass(frozen=True)
class TrialJob:
    """A trial to train.

    Attributes:
        config: the trial.
        prune_below: for each epoch the score below which it is given up; see `train_trial`.
        parent: the id of the shorter trial that it continues, or None.
        has_successor: whether a longer trial will continue it.
        attempt: how often it was handed out before.
        is_alone: whether it is to have a whole machine for itself, since it ran out of memory beside others.
    """

    config: TrialConfig
    prune_below: tuple[float | None, ...] = ()
    parent: str | None = None
    has_successor: bool = False
    attempt: int = 0
    is_alone: bool = False

    @property
    def trial_id(self) -> str:
        """The trial's id."""
        return self.config.trial_id


@dataclass(frozen=True)
class BundleJob:
    """Trials that one process trains one after another.

    Attributes:
        name: tells it from all others of this sweep.
        trials: in their order.
        measurements: what is measured of tiny trials in the same process.
        place: where files are.
        share: what of the machine the process gets.
    """

    name: str
    trials: tuple[TrialJob, ...]
    measurements: tuple[Measurement, ...]
    place: Place
    share: Share

    @property
    def packaged(self) -> list[Measurement]:
        """Its measurements but those of the user's own code."""
        return [measurement for measurement in self.measurements if not measurement.is_own]


@dataclass(frozen=True)
class MeasuringJob:
    """A trained trial to measure.

    Attributes:
        has_own_code: whether the trial or a metric runs code of the user's own, so that its process ends with it.
    """

    trial_id: str
    measurements: tuple[Measurement, ...]
    place: Place
    has_own_code: bool = False
