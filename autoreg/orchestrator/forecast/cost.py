"""What a network takes to train and to measure: a few real steps are timed on this machine."""

import io
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from math import log, sqrt
from typing import Any, Literal, NamedTuple, TypeVar

import polars as pl
import torch

from autoreg.config.trial import TrialConfig, format_width
from autoreg.datasets import Dataset
from autoreg.errors import first_line
from autoreg.metrics import metrics
from autoreg.metrics.measure import Measurement
from autoreg.orchestrator.durations import training_key
from autoreg.training.loop import train_epoch
from autoreg.training.precision import precision_of
from autoreg.training.state import TrialState

#: How long is timed by default; a dry run's other seconds are for imports and for reading the data.
SECONDS = 10.0
#: So many training steps are timed, fewer if they take longer than so many seconds.
STEPS, SECONDS_OF_STEPS = 10, 0.5
#: On a CPU a batch that is timed has at least so many examples, more up to so many FLOPs, which take about a second.
FEWEST, CPU_FLOPS = 8, 3e10
#: A metric that is timed takes at most about so many seconds, but for one example.
SECONDS_OF_METRIC = 3.0

T = TypeVar("T")


@dataclass(frozen=True)
class Network:
    """A network at one width that can be timed.

    Attributes:
        config: a trial of it, with its batch size.
        dataset: its data, on the device on which it is trained.
        threads: with which it is trained.
        measurements: of its final trials.
        flops: of one example; what widths are compared by.
    """

    config: TrialConfig
    dataset: Dataset
    threads: int
    measurements: tuple[Measurement, ...]
    flops: float

    @property
    def device(self) -> str:
        """Its device: `cpu` or `cuda`."""
        return self.dataset.train.labels.device.type

    @property
    def cores(self) -> int:
        """How many cores a trial of it has; on a GPU it is that of which it has a share."""
        return self.threads if self.device == "cpu" else 1

    @property
    def forward_share(self) -> float:
        """What a final trial's look at all splits takes of an epoch, in which a training example counts thrice."""
        train, validation = len(self.dataset.train), len(self.dataset.validation)
        return (train + validation + len(self.dataset.test)) / (3 * train + validation)

    @property
    def training(self) -> tuple[Hashable, Hashable]:
        """What is trained at a cost about as its FLOPs; and what tells it from the others of which that is true."""
        config = self.config
        return (self.device, self.threads, training_key(config)), (config.width, config.effective_batch_size)

    @property
    def measuring(self) -> tuple[Hashable, Hashable]:
        """As `training`, for measuring."""
        names = tuple(measurement.measurement_id for measurement in self.measurements)
        return (self.device, self.config.network, self.config.dataset, names), self.config.width


class Timed(NamedTuple):
    """What a network was timed to take.

    Attributes:
        network: the network.
        seconds: of an epoch, validation included; or of measuring a trial.
        size: bytes of a trial's measurements.
    """

    network: Network
    seconds: float
    size: float = 0.0


@dataclass
class Costs:
    """What was timed, and what follows for networks that were not.

    Attributes:
        slowdown: how many times as long the timed took on the wall as of the processor.
        problems: a line for each network that could not be timed.
    """

    slowdown: float = 1.0
    problems: list[str] = field(default_factory=list)
    _timed: dict[Hashable, dict[Hashable, Timed]] = field(default_factory=dict)
    _spent: dict[Hashable, float] = field(default_factory=dict)

    def is_timed(self, network: Network) -> bool:
        """Whether its training was timed at this width and batch size."""
        family, name = network.training
        return name in self._timed.get(family, {})

    def training(self, network: Network) -> Timed | None:
        """Return what an epoch of it takes; None if nothing like it was timed."""
        return self._cost(network, *network.training)

    def measuring(self, network: Network) -> Timed | None:
        """Return what measuring a trial of it takes; None if nothing like it was timed."""
        return self._cost(network, *network.measuring)

    def _cost(self, network: Network, family: Hashable, name: Hashable) -> Timed | None:
        """Return what was timed, or the nearest by FLOPs and then by batch size, in proportion to the FLOPs."""
        timed = self._timed.get(family)
        if not timed:
            return None
        if name in timed:
            return timed[name]

        def distance(known: Timed) -> tuple[float, float]:
            batch_sizes = known.network.config.effective_batch_size, network.config.effective_batch_size
            return abs(log(known.network.flops / network.flops)), abs(log(batch_sizes[0] / batch_sizes[1]))

        near = min(timed.values(), key=distance)
        ratio = network.flops / near.network.flops
        # Units, of which measurements have rows, grow as the root of the FLOPs.
        return Timed(network, near.seconds * ratio, near.size * sqrt(ratio))

    def time(self, networks: Iterable[Network], seconds: float) -> None:
        """Time as many networks as fit into some seconds on the wall, the smallest of each kind in any case."""
        import torch._dynamo

        clock, ends, threads = _Clock(), time.monotonic() + seconds, torch.get_num_threads()
        ordered = sorted(networks, key=lambda network: (network.flops, network.config.effective_batch_size))
        try:
            for network in ordered:
                torch.set_num_threads(network.threads)
                self._time("train", network, clock, ends)
            torch.set_num_threads(1)  # as a process that measures
            for network in ordered:
                self._time("measure", network, clock, ends)
        finally:
            torch.set_num_threads(threads)
        self.slowdown = clock.wall / clock.work if clock.work else 1.0

    def _time(self, does: Literal["train", "measure"], network: Network, clock: "_Clock", ends: float) -> None:
        """Time what a network does, unless it was, or would last until after `ends` though a smaller one was timed."""
        family, name = network.training if does == "train" else network.measuring
        timed, began = self._timed.setdefault(family, {}), time.monotonic()
        if name in timed:
            return
        if timed and began + self._spent[family] * network.flops / next(reversed(timed.values())).network.flops > ends:
            return
        try:
            timed[name] = _time_training(network, clock) if does == "train" else _time_measuring(network, clock)
        except Exception as error:  # in a user's own network anything may go wrong; and memory may not suffice
            shown = f"{does} {network.config.network} {format_width(network.config.width)}x"
            self.problems.append(f"{shown}: {type(error).__name__}: {first_line(error)}")
        self._spent[family] = time.monotonic() - began


class _Clock:
    """Seconds of work: on one thread of a CPU those of the processor, since other programs may run meanwhile."""

    def __init__(self) -> None:
        self.wall = self.work = 0.0

    def time(self, device: str, call: Callable[[], T]) -> tuple[T, float]:
        """Return what a call returns, and how long it takes."""
        is_alone = device == "cpu" and torch.get_num_threads() == 1
        wall, work = time.perf_counter(), time.process_time()
        value = call()
        if device != "cpu":
            torch.cuda.synchronize()
        wall, work = time.perf_counter() - wall, time.process_time() - work
        self.wall += wall
        self.work += work if is_alone else wall
        return value, work if is_alone else wall


def _time_training(network: Network, clock: _Clock) -> Timed:
    """Time a few steps and their share of the validation, after a step that allocates and prepares."""
    config, dataset = network.config, network.dataset
    state, whole, held_out = TrialState.fresh(config, dataset), len(dataset.train), len(dataset.validation)
    batch = config.effective_batch_size
    if network.device == "cpu":
        batch = min(batch, max(FEWEST, int(CPU_FLOPS / (3 * network.flops))))
    trial = config.model_copy(update={"batch_size": batch, "lr_batch_factor": 1.0})

    def train(examples: int) -> float:
        validation = dataset.validation.first(max(1, held_out * examples // whole))
        part = replace(dataset, train=dataset.train.first(examples), validation=validation)
        return clock.time(network.device, lambda: train_epoch(trial, part, state))[1]

    steps = min(STEPS, 1 + int(SECONDS_OF_STEPS / train(batch)))
    examples = min(whole, steps * batch)
    seconds = min(train(examples), train(examples)) * whole / examples
    return Timed(network, seconds)


def _time_measuring(network: Network, clock: _Clock) -> Timed:
    """Time each metric, as it is asked for, on one example and on a batch, or on as much of it as can be waited for."""
    dataset, seconds, size = network.dataset, 0.0, 0
    untrained = TrialState.fresh(network.config, dataset).network.eval()

    def measure(asked: Measurement, examples: int) -> tuple[pl.DataFrame, float]:
        changed: dict[str, Any] = {asked.split: dataset.split(asked.split).first(examples)}
        part = replace(dataset, **changed)
        with precision_of("float32", dataset.test.labels.device):
            return clock.time(
                network.device, lambda: metrics[asked.metric](untrained, part, asked.split, 0, **asked.options)
            )

    for asked in network.measurements:
        whole = len(dataset.split(asked.split))
        batch = min(dataset.evaluation_batch, whole)
        frame, one = measure(asked, 1)
        each, count = one, min(batch, 1 + int(SECONDS_OF_METRIC / one))
        if count > 1:
            frame, many = measure(asked, count)
            each = max(0.0, many - one) / (count - 1)
        # A batch takes some time whatever its size, and each of its examples adds to it.
        seconds += -(-whole // batch) * max(0.0, one - each) + whole * each
        frame.write_parquet(file := io.BytesIO(), compression="zstd")
        size += len(file.getvalue())
    return Timed(network, seconds, size)
