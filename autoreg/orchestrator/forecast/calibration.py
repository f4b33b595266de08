"""How fast this machine is: a few steps of the networks themselves, and what follows for the widths between."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from autoreg.config.trial import format_width
from autoreg.errors import first_line
from autoreg.orchestrator.forecast.budget import Task, run_tasks
from autoreg.orchestrator.forecast.company import company
from autoreg.orchestrator.forecast.curve import Known, cost_at
from autoreg.orchestrator.forecast.subject import Subject
from autoreg.orchestrator.forecast.timing import (
    Clock,
    EpochTimes,
    MeasuringTimes,
    threads_of,
    time_epochs,
    time_measuring,
)

#: How long is timed, on the wall; a dry run's other seconds are for imports and for reading the data.
SECONDS = 10.0

T = TypeVar("T")
#: What was timed, by family and width.
Times = Mapping[tuple[Hashable, Hashable], T]


@dataclass(frozen=True)
class Calibration:
    """What was timed, and what follows for what was not.

    Attributes:
        epochs: of training.
        measuring: of measuring.
        flops: of all of them.
        slowdown: how many times as long it took on the wall as of the processor.
        problems: a line for each network that could not be timed.
    """

    epochs: Times[EpochTimes] = field(default_factory=dict)
    measuring: Times[MeasuringTimes] = field(default_factory=dict)
    flops: Times[float] = field(default_factory=dict)
    slowdown: float = 1.0
    problems: tuple[str, ...] = ()

    def is_timed(self, subject: Subject) -> bool:
        """Whether a subject's training was timed itself."""
        return (subject.training, subject.config.width) in self.epochs

    def epoch_seconds(self, subject: Subject, batch_size: int) -> float | None:
        """Return the seconds of an epoch, validation included; None if nothing like it was timed."""
        return self._cost(self.epochs, subject.training, subject, lambda times: times.epoch_seconds(batch_size))

    def evaluation_seconds(self, subject: Subject) -> float:
        """Return the seconds of a forward pass of one example; 0 if nothing like it was timed."""
        return self._cost(self.epochs, subject.training, subject, lambda times: times.evaluation) or 0.0

    def start_seconds(self, subject: Subject) -> float:
        """Return the seconds until a trial has its weights; 0 if nothing like it was timed."""
        return self._cost(self.epochs, subject.training, subject, lambda times: times.start) or 0.0

    def measuring_seconds(self, subject: Subject) -> float | None:
        """Return the seconds that measuring a trial takes; None if nothing like it was timed."""
        return self._cost(self.measuring, subject.measuring, subject, lambda times: times.seconds)

    def measurement_bytes(self, subject: Subject) -> float | None:
        """Return the bytes of a trial's measurements; None if nothing like it was measured."""
        return self._cost(self.measuring, subject.measuring, subject, lambda times: float(times.size))

    def _cost(
        self, all_times: Times[T], family: Hashable, subject: Subject, cost_of: Callable[[T], float]
    ) -> float | None:
        costs = {name: cost_of(times) for (one, name), times in all_times.items() if one == family}
        if (own := costs.get(subject.config.width)) is not None:
            return own
        known = [Known(self.flops[family, name], cost) for name, cost in costs.items()]
        return cost_at(subject.flops, known) if known else None


def calibrate(subjects: Sequence[Subject], others: int, seconds: float = SECONDS) -> Calibration:
    """Time the subjects, as many as fit into some seconds, the smallest of each family in any case.

    Args:
        subjects: what is to be timed.
        others: how many other cores will be busy with other trials meanwhile.
        seconds: on the wall.
    """
    clocks = {subject.where: Clock(*subject.where) for subject in subjects}
    subjects_of: dict[tuple[Hashable, Hashable], str] = {}
    tasks: dict[tuple[Hashable, Hashable], Task[EpochTimes | MeasuringTimes]] = {}
    for subject in subjects:
        clock, width = clocks[subject.where], subject.config.width
        runs: list[tuple[Hashable, Callable[[float], EpochTimes | MeasuringTimes]]] = [
            (subject.training, _training(subject, clock)),
            (subject.measuring, _measuring(subject, clock)),
        ]
        for family, run in runs:
            tasks.setdefault((family, width), Task(family, width, subject.flops, run))
            does = "train" if family == subject.training else "measure"
            subjects_of[family, width] = f"{does} {subject.config.network} {format_width(width)}x"
    with company(others):
        done, failed = run_tasks(list(tasks.values()), seconds)
    wall, work = (sum(getattr(clock, name) for clock in clocks.values()) for name in ("wall", "work"))
    return Calibration(
        {key: times for key, times in done.items() if isinstance(times, EpochTimes)},
        {key: times for key, times in done.items() if isinstance(times, MeasuringTimes)},
        {key: task.flops for key, task in tasks.items()},
        wall / work if work else 1.0,
        tuple(f"{subjects_of[key]}: {type(error).__name__}: {first_line(error)}" for key, error in failed.items()),
    )


def _training(subject: Subject, clock: Clock) -> Callable[[float], EpochTimes]:
    def run(limit: float) -> EpochTimes:
        with threads_of(subject.where.threads):
            return time_epochs(subject.config, subject.dataset, subject.batch_sizes, clock, limit)

    return run


def _measuring(subject: Subject, clock: Clock) -> Callable[[float], MeasuringTimes]:
    def run(limit: float) -> MeasuringTimes:
        with threads_of(1):  # as a task that measures
            return time_measuring(subject.config, subject.dataset, subject.measurements, clock, limit)

    return run
