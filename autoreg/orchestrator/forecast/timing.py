"""Real steps of training and measuring, timed on this machine."""

import io
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor

from autoreg.config.trial import TrialConfig
from autoreg.datasets import Dataset, Examples
from autoreg.metrics import metrics
from autoreg.metrics.measure import Measurement
from autoreg.networks import Network
from autoreg.orchestrator.forecast.ladder import PATIENCE, climb, extrapolate
from autoreg.training.loop import evaluate, train_epoch
from autoreg.training.precision import precision_of
from autoreg.training.state import TrialState


@dataclass(frozen=True)
class First:
    """The first examples of a split."""

    split: Examples
    count: int

    @property
    def labels(self) -> Tensor:
        """Their labels, [count]."""
        return self.split.labels[: self.count]

    def __len__(self) -> int:
        return self.count

    def batches(
        self, batch_size: int, order: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield batches as the split itself does."""
        order = torch.arange(self.count) if order is None else order
        left = self.count
        for inputs, labels in self.split.batches(batch_size, order, generator):
            yield inputs, labels
            left -= len(labels)
            if not left:  # a split takes an order for one of all its examples
                return

    def to(self, device: torch.device) -> Self:
        """Return them on a device."""
        return replace(self, split=self.split.to(device))

    def with_labels(self, labels: Tensor) -> Self:
        """Return them with other labels, [count]."""
        whole = torch.cat([labels, self.split.labels[self.count :]])
        return replace(self, split=self.split.with_labels(whole))


class Clock:
    """Seconds of work.

    On a CPU with one thread they are those of the processor, which do not count what other programs take meanwhile;
    else those on the wall.

    Attributes:
        wall, work: seconds of all that was timed, on the wall and of the processor; their ratio says how busy this
            machine is otherwise.
    """

    def __init__(self, device: str, threads: int) -> None:
        self._device, self._is_alone = device, device == "cpu" and threads == 1
        self.wall, self.work = 0.0, 0.0

    def time(self, call: Callable[[], object]) -> float:
        """Return how long a call takes."""
        self._wait()
        wall, work = time.perf_counter(), time.process_time()
        call()
        self._wait()
        wall, work = time.perf_counter() - wall, time.process_time() - work
        self.wall += wall
        self.work += work if self._is_alone else wall
        return work if self._is_alone else wall

    def _wait(self) -> None:
        if self._device != "cpu":
            torch.cuda.synchronize()


@contextmanager
def threads_of(count: int) -> Iterator[None]:
    """Compute with so many threads inside, as a worker does."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class EpochTimes:
    """What an epoch was timed to take.

    Attributes:
        epochs: seconds of an epoch by batch size, validation included: of the smallest and the largest.
        evaluation: seconds of a forward pass of one example.
        start: seconds until a trial of it has its weights.
        floor: the seconds without which nothing could have been timed.
    """

    epochs: dict[int, float]
    evaluation: float
    start: float
    floor: float

    def epoch_seconds(self, batch_size: int) -> float:
        """Return the seconds of an epoch: on a line over the number of steps; those of the only size that was timed."""
        (low, slow), (high, fast) = min(self.epochs.items()), max(self.epochs.items())
        if low == high:
            return slow
        return fast + (slow - fast) * (1 / batch_size - 1 / high) / (1 / low - 1 / high)


def time_epochs(
    config: TrialConfig, dataset: Dataset, batch_sizes: Collection[int], clock: Clock, limit: float
) -> EpochTimes:
    """Train a few steps of a trial, and return how long its epochs take.

    Args:
        config: the trial.
        dataset: its data, on its device.
        batch_sizes: of its trials; the smallest and the largest are timed.
        clock: tells the time.
        limit: about how many seconds one rung of a ladder may take; see `climb`.
    """
    states: list[TrialState] = []
    start = clock.time(lambda: states.append(TrialState.fresh(config, dataset)))
    [state] = states
    held_out, batch = len(dataset.validation), dataset.evaluation_batch

    def train(batch_size: int, examples: int) -> float:
        trial = config.model_copy(update={"batch_size": batch_size, "lr_batch_factor": 1.0})
        is_whole = examples == len(dataset.train)
        validation = dataset.validation if is_whole else First(dataset.validation, 1)
        part = replace(dataset, train=First(dataset.train, examples), validation=validation)
        return clock.time(lambda: train_epoch(trial, part, state))

    def validate(examples: int) -> float:
        part = replace(dataset, validation=First(dataset.validation, examples))
        return clock.time(lambda: evaluate(state.kept, part, "validation"))

    rungs = climb(validate, batch, held_out, limit / 2)
    floor = start + 2 * rungs[0].seconds
    validation = extrapolate(rungs, batch, held_out)
    timed: dict[int, float] = {}
    for size in sorted({min(batch_sizes), max(batch_sizes)}):
        whole = len(dataset.train)
        rungs = climb(lambda count, size=size: train(size, count), size, whole, limit, PATIENCE)  # type: ignore[misc]
        floor += sum(2 * rung.seconds for rung in rungs[:3])
        is_whole = rungs[-1].examples == whole
        timed[size] = extrapolate(rungs, size, whole) + (0.0 if is_whole else validation)
    return EpochTimes(timed, validation / held_out, start, floor)


@dataclass(frozen=True)
class MeasuringTimes:
    """What measuring a trial was timed to take.

    Attributes:
        seconds: of all examples of all splits.
        size: bytes of its files.
        floor: the seconds without which nothing could have been timed.
    """

    seconds: float
    size: int
    floor: float


def time_measuring(
    config: TrialConfig, dataset: Dataset, wanted: Sequence[Measurement], clock: Clock, limit: float
) -> MeasuringTimes:
    """Measure a few examples of an untrained network, and return how long all of them take.

    Args:
        config: a trial.
        dataset: its data, on its device.
        wanted: what is measured.
        clock: tells the time.
        limit: about how many seconds one rung of a ladder may take; see `climb`.
    """
    networks: list[Network] = []
    floor = clock.time(lambda: networks.append(TrialState.fresh(config, dataset).network.eval()))
    seconds, size = 0.0, 0
    for measurement in wanted:
        made = _TimedMetric(measurement, dataset, networks[0], clock)
        seconds += made.seconds(limit)
        size += made.size
        floor += made.floor
    return MeasuringTimes(seconds, size, floor)


class _TimedMetric:
    """A metric on the first examples of a split."""

    def __init__(self, measurement: Measurement, dataset: Dataset, network: Network, clock: Clock) -> None:
        self._function, self._measurement = metrics[measurement.metric], measurement
        self._dataset, self._network, self._clock = dataset, network, clock
        options = metrics.options(measurement.metric)
        self._options = {name: option.default for name, option in options.items()} | dict(measurement.options)
        self.size, self.floor = 0, 0.0

    def seconds(self, limit: float) -> float:
        """Return how long the whole split takes."""
        whole, batch = len(self._dataset.split(self._measurement.split)), self._dataset.evaluation_batch
        samples: int = self._options.get("samples", 1)
        self.floor = glance = self._run(1, samples=1) if "samples" in self._options else self._run(1)
        self.size *= samples
        if glance * samples > limit:  # one sample of one example tells enough of what would take longer than that
            return glance * samples * whole
        # What similarity does after the last example does not grow with them.
        fixed = self._run(1, max_vectors=2) if "max_vectors" in self._options else 0.0
        rungs = climb(lambda count: max(0.0, self._run(count) - fixed), batch, whole, limit)
        return fixed + extrapolate(rungs, batch, whole)

    def _run(self, examples: int, **changes: int) -> float:
        split = self._measurement.split
        whole = len(self._dataset.split(split))
        parts: dict[str, Any] = {split: First(self._dataset.split(split), examples)}
        part = replace(self._dataset, **parts)
        options = {**self._options, **changes}
        if "max_vectors" in options and "max_vectors" not in changes:  # so many are drawn of all examples
            options["max_vectors"] = max(2, options["max_vectors"] * examples // whole)
        frames = []

        def measure() -> None:
            with precision_of("float32", part.test.labels.device):
                frames.append(self._function(self._network, part, split, 0, **options))

        seconds = self._clock.time(measure)
        if "max_vectors" not in changes:
            file = io.BytesIO()
            frames[0].write_parquet(file, compression="zstd")
            self.size = len(file.getvalue())
        return seconds
