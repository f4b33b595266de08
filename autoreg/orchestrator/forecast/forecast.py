"""A forecast: how long what is left of some sweeps will take, and how much disk, and how good such forecasts were."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import geometric_mean

import torch

from autoreg.config.overlap import Keys, keys_of
from autoreg.config.sections import Resources
from autoreg.config.trial import TrialConfig
from autoreg.datasets import load_dataset
from autoreg.errors import DataError
from autoreg.orchestrator.durations import ENOUGH, Durations, training_key
from autoreg.orchestrator.forecast.cost import SECONDS, Costs, Network
from autoreg.orchestrator.forecast.group import GroupForecast
from autoreg.orchestrator.forecast.left import GroupLeft, left_of
from autoreg.orchestrator.forecast.size import size_of
from autoreg.orchestrator.plan import Plan
from autoreg.runs.folder import Runs

#: Until Ray runs and its workers have imported PyTorch; and until it has stopped.
SECONDS_OF_RAY = 12.0


@dataclass(frozen=True)
class Machine:
    """This machine: its cores and GPUs."""

    cores: int
    gpus: int

    @classmethod
    def here(cls) -> "Machine":
        """Return this machine as Ray will find it."""
        return cls(os.cpu_count() or 1, torch.cuda.device_count() if torch.cuda.is_available() else 0)

    def device(self, resources: Resources, width: float) -> str:
        """Return what a trial of that width is computed on: `cpu` or `cuda`."""
        return "cuda" if self.gpus and resources.gpu_share(width) else "cpu"

    def device_name(self, resources: Resources, width: float) -> str:
        """Return a device's name as `result.json` has it."""
        return "cpu" if self.device(resources, width) == "cpu" else torch.cuda.get_device_name(0)

    def threads(self, resources: Resources) -> int:
        """Return the threads of a trial."""
        return min(resources.cpus, self.cores)

    def at_once(self, resources: Resources, width: float) -> int:
        """Return how many trials of that width run at the same time, at most."""
        share = resources.gpu_share(width)
        on_gpus = int(self.gpus / share + 1e-9) if self.gpus and share else self.cores
        return max(1, min(self.cores // self.threads(resources), on_gpus))


@dataclass(frozen=True)
class SweepForecast:
    """What one sweep will take.

    Attributes:
        plan: the sweep.
        groups: what each group will take, in the order in which they run.
    """

    plan: Plan
    groups: list[GroupForecast]

    @property
    def seconds(self) -> float | None:
        """From its start to its end; 0 if nothing is left, None if nothing tells.

        It takes as long as the longest row of trials that wait for each other, or as all of them on all that there is.
        """
        work = _sum(group.seconds and group.seconds / group.at_once for group in self.groups)
        return work and max(work, *(group.longest for group in self.groups)) + SECONDS_OF_RAY

    @property
    def at_most(self) -> bool:
        """Whether trials may end before their last epoch."""
        return any(group.left.may_end_early for group in self.groups)

    @property
    def at_once(self) -> int:
        """How many of its trials run at the same time, at most."""
        return max(group.at_once for group in self.groups)

    @property
    def disk_bytes(self) -> int:
        """Of what it adds to the run folder."""
        return sum(group.disk_bytes for group in self.groups)

    @property
    def is_measuring_known(self) -> bool:
        """Whether they are with the measurements, of which nothing tells otherwise."""
        return all(group.is_measuring_known for group in self.groups)

    @property
    def peak_bytes(self) -> int:
        """Beside `disk_bytes`, of the states of running trials."""
        return max(group.state_bytes for group in self.groups)


@dataclass(frozen=True)
class Hindsight:
    """How good forecasts were: trials that have ended, against what the steps timed today say of them.

    Attributes:
        trials: how many.
        ratio, lowest, highest: seconds that they took over those that were said: geometric mean, and range.
    """

    trials: int
    ratio: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Forecast:
    """What some sweeps will take, one after another.

    Attributes:
        sweeps: each of them.
        hindsight: how good forecasts were, or None if no trial like theirs has ended here.
        slowdown: how many times as long it takes while this machine is as busy with other things as it is now.
        problems: a line for each network of which no step could be trained or measured.
    """

    sweeps: list[SweepForecast]
    hindsight: Hindsight | None
    slowdown: float
    problems: list[str]

    @property
    def seconds(self) -> float | None:
        """Of all sweeps, or None if nothing tells."""
        return _sum(sweep.seconds for sweep in self.sweeps)


def forecast(
    plans: Sequence[Plan], runs: Runs, calibration_seconds: float = SECONDS, machine: Machine | None = None
) -> Forecast:
    """Say what sweeps will take on this machine, one after another. Nothing is written.

    Args:
        plans: the checked sweeps.
        runs: the run folder.
        calibration_seconds: about how long real steps are timed; 0 for not at all, so that finished trials alone tell.
        machine: on which they will run; None for this one.
    """
    earlier: Keys = frozenset()
    machine, costs = machine or Machine.here(), Costs()
    sweeps: list[SweepForecast] = []
    ended: dict[str, tuple[GroupForecast, TrialConfig, float]] = {}
    for plan in plans:
        left = left_of(plan, runs, earlier)
        finished = list(_finished(plan, left, runs, machine))
        durations = Durations()
        for config, seconds in finished:
            durations.note_epoch(config, seconds)
        groups = [_group(plan, group, machine, durations, costs) for group in left]
        like = {(training_key(group.left.group.template), group.left.group.template.width): group for group in groups}
        for config, seconds in finished:
            if group := like.get((training_key(config), config.width)):
                ended[config.trial_id] = group, config, seconds
        sweeps.append(SweepForecast(plan, groups))
        earlier = earlier | keys_of([plan.sweep])
    if calibration_seconds:
        costs.time(
            [network for sweep in sweeps for group in sweep.groups for network in group.networks()], calibration_seconds
        )
    ratios = [seconds / said for group, config, seconds in ended.values() if (said := group.timed_epoch(config))]
    hindsight = Hindsight(len(ratios), geometric_mean(ratios), min(ratios), max(ratios)) if ratios else None
    return Forecast(sweeps, hindsight, costs.slowdown, costs.problems)


def _group(plan: Plan, left: GroupLeft, machine: Machine, finished: Durations, costs: Costs) -> GroupForecast:
    template, resources = left.group.template, plan.sweep.resources
    dataset = load_dataset(template, plan.root, machine.device(resources, template.width))
    size = size_of(template, dataset.input_shape, dataset.classes)
    network = Network(
        template, dataset, machine.threads(resources), tuple(plan.measurements), size.forward_flops or left.parameters
    )
    return GroupForecast(left, size, network, machine.at_once(resources, template.width), finished, costs)


def _finished(
    plan: Plan, groups: Iterable[GroupLeft], runs: Runs, machine: Machine
) -> Iterator[tuple[TrialConfig, float]]:
    """Yield trials that have ended on such a device, those planned first, with the seconds of an epoch."""
    kinds = {training_key(group.group.template) for group in groups}
    planned = {config.trial_id: config for group in groups for configs in group.ended.values() for config in configs}
    others = (folder for folder in runs.trials() if folder.trial_id not in planned)
    seen: Counter[tuple[object, ...]] = Counter()
    threads = str(machine.threads(plan.sweep.resources))
    for folder in (*map(runs.trial, planned), *others):
        with suppress(DataError):  # what is damaged is told when the sweep runs
            config = planned.get(folder.trial_id) or folder.read_config()
            key = training_key(config), config.width, config.effective_batch_size
            if key[0] not in kinds or seen[key] == ENOUGH:
                continue
            result = folder.read_result()
            device = machine.device_name(plan.sweep.resources, config.width)
            if result.epochs_run and (device, threads) == (result.device, result.environment.get("threads", threads)):
                seen[key] += 1
                yield config, result.seconds / result.epochs_run


def _sum(seconds: Iterable[float | None]) -> float | None:
    """Return the sum, or None if one of them is not known."""
    values = list(seconds)
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
