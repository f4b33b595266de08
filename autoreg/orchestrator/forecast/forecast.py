"""A forecast: how long what is left of some sweeps will take, how much disk, and how good such forecasts were."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from torch import nn

from autoreg.config.group import setting_labels
from autoreg.config.overlap import Keys, keys_of
from autoreg.config.trial import TrialConfig
from autoreg.datasets import load_dataset
from autoreg.errors import DataError
from autoreg.networks import build_network, forward_flops, unallocated_network
from autoreg.networks.compiled import Kernel, load_kernel
from autoreg.networks.cpu import cpu_flags
from autoreg.orchestrator.bundles import SECONDS as SECONDS_OF_A_BUNDLE
from autoreg.orchestrator.durations import ENOUGH, measuring_key, training_key
from autoreg.orchestrator.forecast.cost import SECONDS, Costs, Network
from autoreg.orchestrator.forecast.left import GroupLeft, left_of
from autoreg.orchestrator.jobs import Machine, share_of
from autoreg.orchestrator.plan import Plan
from autoreg.runs.folder import Runs
from autoreg.training.fast_path import has_use

#: Until Ray runs and its workers have imported PyTorch; and until it has stopped.
SECONDS_OF_RAY = 12.0
#: What Ray Tune takes for one of its trials, which may be a bundle of several tiny ones of ours.
SECONDS_OF_TUNE = 0.4
#: In whole blocks of a file system: a trial's folder and records, what an epoch adds to them, and a measurement.
BYTES_OF_A_TRIAL, BYTES_OF_AN_EPOCH, BYTES_OF_A_MEASUREMENT = 12_000, 200, 8_000


@dataclass(frozen=True)
class GroupForecast:
    """What is left of one group will take; None where nothing tells.

    Attributes:
        epoch_seconds, epoch_seconds_from: of an epoch of the next trial, and what tells them.
        worker_seconds: of all its trials one after another, measuring included.
        longest_seconds: of its longest row of trials of which each waits for the one before.
        faster_precision: in which a training step would take less time on this CPU, half of it or so; else None.
    """

    label: str
    parameters: int
    forward_flops_per_example: int | None
    final_trials: int
    tuning_trials: int
    done_trials: int
    trials_at_once: int
    epoch_seconds: float | None
    epoch_seconds_from: str | None
    worker_seconds: float | None
    longest_seconds: float
    disk_bytes: int
    faster_precision: str | None


@dataclass(frozen=True)
class SweepForecast:
    """What one sweep will take.

    Attributes:
        seconds: from its start to its end; 0 if nothing is left, None if nothing tells.
        is_at_most: whether trials may end before their last epoch.
    """

    name: str
    sweep_id: str
    figures: list[str]
    seconds: float | None
    is_at_most: bool
    disk_bytes: int
    settings: list[GroupForecast]


@dataclass(frozen=True)
class Forecast:
    """What some sweeps will take, one after another.

    Attributes:
        seconds: of all of them; None if nothing tells.
        backtest: of finished trials like theirs, how many times as long each took as the steps timed now say.
        problems: a line for each network of which no step could be trained or measured.
    """

    sweeps: list[SweepForecast]
    seconds: float | None
    backtest: list[float]
    problems: list[str]


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
    machine = machine or Machine(os.cpu_count() or 1, gpus=torch.cuda.device_count())
    costs = Costs()
    earlier: Keys = frozenset()
    left: list[list[tuple[GroupLeft, Network]]] = []
    for plan in plans:
        left.append([(group, _network(plan, group, machine)) for group in left_of(plan, runs, earlier)])
        earlier = earlier | keys_of([plan.sweep])
    pairs = [pair for groups in left for pair in groups]
    finished = list(_finished(runs, [network for _, network in pairs]))
    for network, seconds in finished:
        costs.finished[network.setup].note(training_key(network.config), network.size, seconds)
    if calibration_seconds:
        trials = [replace(network, config=trial) for group, network in pairs for trial in (*group.trials, *group.ended)]
        costs.time(trials, calibration_seconds)
    backtest = sorted(
        seconds / timed
        for network, seconds in finished
        if (timed := costs.timed[network.setup].likely(training_key(network.config), network.size))
    )
    sweeps = [_sweep(plan, groups, costs) for plan, groups in zip(plans, left, strict=True)]
    return Forecast(sweeps, _sum(sweep.seconds for sweep in sweeps), backtest, list(costs.problems.values()))


def _network(plan: Plan, left: GroupLeft, machine: Machine) -> Network:
    template = left.group.template
    share = share_of(machine, plan.sweep.resources, template.width, is_alone=False)
    device = torch.cuda.get_device_name(0) if share.gpu else "cpu"
    dataset = load_dataset(template, plan.root, "cuda" if share.gpu else "cpu")
    flops, at_once = forward_flops(template, dataset.input_shape, dataset.classes), machine.at_once(share)
    built = unallocated_network(template, dataset.input_shape, dataset.classes)
    is_possible = share.kernel and not share.gpu and share.threads == 1 and has_use(built)
    kernel = is_possible and isinstance(load_kernel(), Kernel)
    measurements = tuple(plan.measurements)
    return Network(template, dataset, device, share.threads, at_once, measurements, flops, kernel)


def _finished(runs: Runs, networks: Iterable[Network]) -> Iterator[tuple[Network, float]]:
    """Yield finished trials like those of networks, with the seconds of an epoch."""
    like: defaultdict[tuple[object, ...], dict[object, Network]] = defaultdict(dict)
    for network in networks:
        like[training_key(network.config), network.config.width][network.setup] = network
    seen: Counter[tuple[object, ...]] = Counter()
    for folder in runs.trials():
        with suppress(DataError):  # what is damaged is told when the sweep runs
            config = folder.read_config()
            kind = training_key(config), config.width
            if kind not in like or seen[*kind, config.effective_batch_size] >= ENOUGH:
                continue
            result = folder.read_result()
            environment = result.environment
            where = result.device, environment.get("threads"), environment.get("kernel") == "on"
            for network in like[kind].values():
                if result.epochs_run and (network.device, str(network.threads), network.kernel) == where:
                    seen[*kind, config.effective_batch_size] += 1
                    yield replace(network, config=config), result.seconds / result.epochs_run


def _sweep(plan: Plan, left: Sequence[tuple[GroupLeft, Network]], costs: Costs) -> SweepForecast:
    sweep, labels = plan.sweep, setting_labels([group for group, _ in plan.groups])
    groups = [
        _group(group, network, label, parameters, costs)
        for (group, network), label, (_, parameters) in zip(left, labels, plan.groups, strict=True)
    ]
    # As long as the longest row of trials that wait for each other, or as all of them on all that there is.
    work = _sum(group.worker_seconds and group.worker_seconds / group.trials_at_once for group in groups)
    seconds = work and max(work, *(group.longest_seconds for group in groups)) + SECONDS_OF_RAY
    is_at_most, disk_bytes = any(group.may_end_early for group, _ in left), sum(group.disk_bytes for group in groups)
    return SweepForecast(sweep.name, sweep.sweep_id, sweep.figures, seconds, is_at_most, disk_bytes, groups)


def _group(left: GroupLeft, network: Network, label: str, parameters: int, costs: Costs) -> GroupForecast:
    group, dataset, trials = left.group, network.dataset, left.trials
    next_epoch, source = costs.epoch(replace(network, config=next(iter(trials), group.template)))
    epochs = {trial.effective_batch_size: costs.epoch(replace(network, config=trial))[0] for trial in trials}
    measuring = costs.timed[network.setup].likely(measuring_key(group.template), (network.size[0], 1)) or 0.0

    def seconds(trial: TrialConfig) -> float:
        shorter = group.parent(trial) if trial.kind == "final" else None  # whose epochs are not trained again
        total = (trial.epochs - (shorter.epochs if shorter else 0)) * (epochs[trial.effective_batch_size] or 0.0)
        total += measuring if trial.kind == "final" else 0.0
        return total + SECONDS_OF_TUNE * min(1.0, total / SECONDS_OF_A_BUNDLE)

    startup = group.tune.startup - (group.tune.most - len(left.tuning)) if group.tune else 0  # wait for no other
    rounds = max(1, len(left.tuning) - max(0, startup - 1))
    final = max((trial.epochs * (epochs[trial.effective_batch_size] or 0.0) for trial in left.finals), default=0.0)
    with torch.device("meta"):
        built = build_network(group.template, dataset.input_shape, dataset.classes)
    weights = built.state_dict().values()
    return GroupForecast(
        label=label,
        parameters=parameters,
        forward_flops_per_example=network.flops,
        final_trials=group.final_count,
        tuning_trials=group.tune.most if group.tune else 0,
        done_trials=len(left.ended),
        trials_at_once=network.at_once,
        epoch_seconds=next_epoch,
        epoch_seconds_from=source,
        worker_seconds=None if None in epochs.values() else sum(map(seconds, trials)) + left.unmeasured * measuring,
        longest_seconds=rounds * max(map(seconds, left.tuning), default=0.0) + final,
        disk_bytes=sum(BYTES_OF_A_TRIAL + BYTES_OF_AN_EPOCH * trial.epochs for trial in trials)
        + len(left.finals) * sum(values.nbytes for values in weights)
        + (len(left.finals) + left.unmeasured) * len(network.measurements) * BYTES_OF_A_MEASUREMENT,
        faster_precision=_faster_precision(built, network) if trials else None,
    )


def _faster_precision(built: nn.Module, network: Network) -> str | None:
    """Return `bfloat16` where convolutions are computed in float32 on a CPU that multiplies bfloat16 by itself.

    With a richness bfloat16 is refused.
    """
    has_convolutions = any(isinstance(module, nn.modules.conv._ConvNd) for module in built.modules())
    is_exact = network.config.precision == "float32" and network.config.richness is None
    is_slower = network.device == "cpu" and is_exact and has_convolutions
    return "bfloat16" if is_slower and cpu_flags() & {"avx512_bf16", "amx_bf16"} else None


def _sum(seconds: Iterable[float | None]) -> float | None:
    values = list(seconds)
    return None if None in values else sum(filter(None, values))
