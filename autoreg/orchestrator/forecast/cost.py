"""What networks take to train and to measure: a few real steps are timed on this machine."""

import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from timeit import timeit
from typing import Any

import torch

from autoreg.config.factors import format_width
from autoreg.config.trial import TrialConfig
from autoreg.datasets import Dataset
from autoreg.errors import with_kind
from autoreg.exits import told_exits
from autoreg.metrics import metrics
from autoreg.metrics.measure import Measurement
from autoreg.orchestrator.durations import Durations, Key, Size, measuring_key, training_key
from autoreg.training.epoch import train_epoch
from autoreg.training.fast_path import choose_path
from autoreg.training.precision import precision_of
from autoreg.training.state import TrialState

#: How long steps are timed by default.
SECONDS = 10.0
#: So many examples are timed first, then four times as many, until they take so many seconds; each twice.
FEWEST, LONG = 8, 0.1
#: So many times as long trials take on the cores of one machine beside each other, which share its memory and clock.
SLOWDOWN_BY_OTHERS = 1.15


@dataclass(frozen=True)
class Network:
    """A network that can be timed.

    Attributes:
        config: a trial of it, with its width and batch size.
        dataset: its data, on the device on which it is trained.
        device: the name of that, as `result.json` has it.
        threads: with which it is trained.
        at_once: how many of its trials run at the same time, at most.
        measurements: of its final trials.
        flops: of one example; None if they are not known.
        kernel: whether the compiled kernel trains it.
    """

    config: TrialConfig
    dataset: Dataset
    device: str
    threads: int
    at_once: int
    measurements: tuple[Measurement, ...]
    flops: int | None
    kernel: bool = False

    @property
    def size(self) -> Size:
        """How much is computed of an example, and the batch size."""
        return self.flops or self.config.width**2, self.config.effective_batch_size

    @property
    def setup(self) -> Hashable:
        """Durations of networks are kept apart by this."""
        return self.device, self.threads, self.kernel, tuple(asked.measurement_id for asked in self.measurements)


class Costs:
    """How long networks take, by their setup.

    Attributes:
        finished: as finished trials took.
        timed: as steps took that were timed here.
        problems: a line for each network that could not be timed, by what it is.
    """

    def __init__(self) -> None:
        self.finished: defaultdict[Hashable, Durations] = defaultdict(Durations)
        self.timed: defaultdict[Hashable, Durations] = defaultdict(Durations)
        self.problems: dict[Hashable, str] = {}

    def epoch(self, network: Network) -> tuple[float | None, str | None]:
        """Return the seconds of an epoch, and what tells them; None if nothing does."""
        key = training_key(network.config)
        if finished := self.finished[network.setup].known(key, network.size):
            return finished, "finished trials"
        timed = self.timed[network.setup].likely(key, network.size)
        return timed, "steps timed here" if timed else None

    def time(self, networks: Iterable[Network], seconds: float) -> None:
        """Time as many networks as fit into some seconds, the smallest of each kind in any case; sets the threads."""
        ends = time.monotonic() + seconds
        ordered = sorted(networks, key=lambda network: (network.size[0], -network.size[1]))
        for network in ordered:
            self._time(network, training_key(network.config), network.size, _time_training, ends)
            self._time(network, measuring_key(network.config), (network.size[0], 1), _time_measuring, ends)

    def _time(self, network: Network, key: Key, size: Size, timer: Callable[[Network], float], ends: float) -> None:
        timed, failed = self.timed[network.setup], (network.setup, key, size)
        least = (timed.likely(key, size) or 0.0) * FEWEST / len(network.dataset.test)
        if timed.known(key, size) or failed in self.problems or (least and time.monotonic() + least > ends):
            return
        torch.set_num_threads(network.threads)
        try:
            is_beside_others = network.device == "cpu" and network.at_once > 1
            with told_exits():
                timed.note(key, size, timer(network) * (SLOWDOWN_BY_OTHERS if is_beside_others else 1.0))
        except (
            Exception,
            SystemExit,
        ) as error:  # in a user's own network anything may go wrong; and memory may not suffice
            shown = f"{key.what} {network.config.network} {format_width(network.config.width)}x"
            self.problems[failed] = f"{shown}: {with_kind(error)}"


def _time_training(network: Network) -> float:
    """Return the seconds of an epoch, by training on some examples and their share of the validation."""
    config, dataset = network.config, network.dataset
    state, whole, held_out = TrialState.fresh(config, dataset), len(dataset.train), len(dataset.validation)
    choose_path(state, network.kernel)

    def train(examples: int) -> None:
        validation = dataset.validation.first(max(1, held_out * examples // whole))
        part = replace(dataset, train=dataset.train.first(examples), validation=validation)
        batch = {"batch_size": min(config.effective_batch_size, examples), "lr_batch_factor": 1.0}
        train_epoch(config.model_copy(update=batch), part, state)

    if whole % config.effective_batch_size == 1:
        train(1)  # as its last batch, of which a normalization over the batch makes nothing
    return _extrapolate(train, whole, network)


def _time_measuring(network: Network) -> float:
    """Return the seconds of measuring a trial, by each metric, as it is asked for, on some examples."""
    dataset, seconds = network.dataset, 0.0
    untrained = TrialState.fresh(network.config, dataset).network.eval()
    if untrained.initial is None:  # a network with a richness has its own
        untrained.remember(untrained)
    for asked in network.measurements:

        def measure(examples: int, asked: Measurement = asked) -> None:
            seen = ("train", "validation", asked.split)
            changed: dict[str, Any] = {name: dataset.split(name).first(examples) for name in seen}
            with precision_of("float32", dataset.test.labels.device):
                metrics[asked.metric](untrained, replace(dataset, **changed), asked.split, 0, **asked.options)

        whole, bound = len(dataset.split(asked.split)), metrics.options(asked.metric).get("examples")
        if asked.is_own or bound is None:
            seconds += _extrapolate(measure, whole, network)
        else:  # much of its time is the same for any number of examples
            whole = min(whole, asked.options.get("examples", bound.default) or whole)
            few, more = (_time(partial(measure, count), network) for count in (FEWEST, 8 * FEWEST))
            seconds += few + max(0.0, more - few) * (whole - FEWEST) / (7 * FEWEST)
    return seconds


def _extrapolate(work: Callable[[int], None], whole: int, network: Network) -> float:
    """Return the seconds of all examples, by a number of them that grows until it takes long enough to be timed."""
    count = min(FEWEST, whole)
    while (seconds := min(_time(partial(work, count), network) for _ in range(2))) < LONG and count < whole:
        count = min(whole, 4 * count)
    return seconds * whole / count


def _time(work: Callable[[], None], network: Network) -> float:
    # On one thread of a CPU the processor's time is taken, since other programs may run meanwhile.
    clock = time.process_time if (network.device, network.threads) == ("cpu", 1) else time.perf_counter
    return timeit(work, timer=clock, number=1)
