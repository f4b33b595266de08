"""What can be timed: a network at one width on one device."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from autoreg.config.trial import TrialConfig
from autoreg.datasets import Dataset
from autoreg.metrics.measure import Measurement
from autoreg.orchestrator.forecast.kinds import Kind, Place, kind_of


class Where(NamedTuple):
    """What does the work: `cpu` or `cuda`, with some threads."""

    device: str
    threads: int


@dataclass(frozen=True)
class Subject:
    """A network at one width.

    Attributes:
        where: on what its trials are computed.
        config: a trial of it.
        dataset: its data, on the device.
        flops: of one example; what widths are compared by.
        batch_sizes: of its trials, and of those that have ended.
        measurements: of its final trials.
    """

    where: Where
    config: TrialConfig
    dataset: Dataset
    flops: float
    batch_sizes: frozenset[int]
    measurements: tuple[Measurement, ...]

    @property
    def kind(self) -> Kind:
        """The kind of its trials."""
        return kind_of(self.config)

    def place(self, batch_size: int) -> Place:
        """Return where the time of its trials of a batch size is spent."""
        return Place(self.kind, self.config.width, batch_size)

    @property
    def training(self) -> Hashable:
        """What those have in common whose training costs about as their FLOPs."""
        return self.where, self.kind

    @property
    def measuring(self) -> Hashable:
        """What those have in common whose measuring costs about as their FLOPs."""
        names = tuple(made.measurement_id for made in self.measurements)
        return self.where.device, self.config.network, self.config.dataset, names
