"""Optimizers, learning-rate schedules and the parameters that weight decay acts on."""

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any

import torch
from pydantic import AfterValidator, Field
from torch.optim import Optimizer

from autoreg.config.trial import TrialConfig
from autoreg.errors import ConfigError
from autoreg.networks import Network
from autoreg.networks.richness import rate_factor
from autoreg.networks.scale import Scale
from autoreg.registry import Registry

#: (parameter groups, learning_rate, *, options…) -> Optimizer
optimizers: Registry[Callable[..., Optimizer]] = Registry("optimizer", "parameters", "learning_rate")
#: (epochs trained so far, a fraction within an epoch, *, options…) -> factor of the learning rate
schedules: Registry[Callable[..., float]] = Registry("schedule", "epoch")

Parameters = Iterable[dict[str, Any]]


def build_optimizer(config: TrialConfig, network: Network) -> Optimizer:
    """Return the trial's optimizer. Weight decay is L2 (added to the gradient) on what the network names for it."""
    decayed = {id(parameter) for parameter in network.decayed_parameters()}
    groups = [
        {"params": [p for p in network.parameters() if id(p) in decayed], "weight_decay": config.weight_decay},
        {"params": [p for p in network.parameters() if id(p) not in decayed], "weight_decay": 0.0},
    ]
    if not _is_usual(config):
        groups = list(_by_factor(config, network, groups))
    build = optimizers[config.optimizer.name]
    return build(groups, config.effective_learning_rate, **config.optimizer.options)


def _is_usual(config: TrialConfig) -> bool:
    """Whether all parameters have the rate that the trial names."""
    return config.parametrization == "standard" and config.richness is None


def _by_factor(config: TrialConfig, network: Network, groups: Parameters) -> Iterator[dict[str, Any]]:
    """Yield the groups, cut into those whose parameters have one factor of the rate, which stands in them.

    In muP a weight decays by the same share in a step as at width 1.
    """
    is_adaptive = config.optimizer.name in ADAPTIVE
    rich = 1.0 if config.richness is None else rate_factor(config.richness, len(network.maps()), is_adaptive)
    growth = {
        id(parameter): 1 / scale.inputs if is_adaptive else scale.outputs / scale.inputs
        for name, parameter in network.named_parameters()
        for scale in [network.scales.get(name, Scale())]
    }
    for group in groups:
        for factor in dict.fromkeys(growth[id(p)] for p in group["params"]):
            alike = [p for p in group["params"] if growth[id(p)] == factor]
            yield {"params": alike, "weight_decay": group["weight_decay"] / factor, "factor": rich * factor}


#: Optimizers whose steps do not go with the size of the gradient, if epsilon is as small as this, and the others.
ADAPTIVE, PLAIN, SMALL_EPSILON = ("adam", "rmsprop"), ("sgd", "momentum"), 1e-6


def check_optimizer(config: TrialConfig) -> None:
    """Raise ConfigError if it is not known how the optimizer's rate goes with the width, or the richness."""
    name, epsilon = config.optimizer.name, config.optimizer.options.get("epsilon", 0.0)
    if _is_usual(config):
        return
    what = "richness" if config.parametrization == "standard" else "mup"
    if name not in PLAIN + ADAPTIVE:
        known = ", ".join(PLAIN + ADAPTIVE)
        raise ConfigError(f"{what} needs an optimizer whose rates it knows, {known}, got {name!r}")
    if name in ADAPTIVE and epsilon > SMALL_EPSILON:
        raise ConfigError(f"{what} with {name} needs an epsilon of at most {SMALL_EPSILON}, got {epsilon}")
    if name in ADAPTIVE and config.weight_decay and config.parametrization == "mup":
        raise ConfigError(f"mup with {name} needs a weight decay of 0, got {config.weight_decay}")


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Set the rate of a step, times each group's factor; the groups of the standard parametrization have none."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("factor", 1.0)


def learning_rate_at(config: TrialConfig, epoch: float) -> float:
    """Return the learning rate of a step after `epoch` epochs, for example 2.5 in the middle of the third."""
    factor = schedules[config.schedule.name](epoch, **config.schedule.options)
    return config.effective_learning_rate * factor


@optimizers.register
def momentum(
    parameters: Parameters, learning_rate: float, *, momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
) -> Optimizer:
    """Stochastic gradient descent with heavy-ball momentum."""
    return torch.optim.SGD(parameters, lr=learning_rate, momentum=momentum)


@optimizers.register
def sgd(parameters: Parameters, learning_rate: float) -> Optimizer:
    """Plain stochastic gradient descent."""
    return torch.optim.SGD(parameters, lr=learning_rate)


@optimizers.register
def adam(parameters: Parameters, learning_rate: float) -> Optimizer:
    """Adam (Kingma and Ba 2015) at the given learning rate; the authors' code always used 1e-3."""
    return torch.optim.Adam(parameters, lr=learning_rate)


@optimizers.register
def rmsprop(
    parameters: Parameters,
    learning_rate: float,
    *,
    decay: Annotated[float, Field(ge=0, lt=1)] = 0.9,
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    epsilon: Annotated[float, Field(gt=0)] = 1e-8,
) -> Optimizer:
    """RMSProp with TensorFlow's decay of 0.9, at the given learning rate; the authors' code used a tenth of it.

    Inception-v3 was trained with a momentum of 0.9 and an epsilon of 1 (TensorFlow's released code). PyTorch adds
    epsilon to the root of the mean square, TensorFlow to the mean square itself, whose average it starts from 1, not 0.
    """
    return torch.optim.RMSprop(parameters, lr=learning_rate, alpha=decay, momentum=momentum, eps=epsilon)


@schedules.register
def constant(epoch: float) -> float:
    """The same learning rate in every step."""
    return 1.0


@schedules.register
def exponential(
    epoch: float, *, decay: Annotated[float, Field(gt=0, le=1)] = 0.95, every: Annotated[int, Field(ge=1)] = 1
) -> float:
    """Times `decay` after each `every` epochs, the same within them; 0.95 is the paper's."""
    return float(decay ** int(epoch // every))


def _ascending(boundaries: list[int]) -> list[int]:
    if boundaries != sorted(set(boundaries)) or min(boundaries, default=1) < 1:
        raise ValueError("should be epochs from 1 on in ascending order")
    return boundaries


@schedules.register
def step(
    epoch: float,
    *,
    boundaries: Annotated[list[int], AfterValidator(_ascending)],
    factor: Annotated[float, Field(gt=0, le=1)] = 0.1,
    warmup: Annotated[int, Field(ge=0)] = 0,
) -> float:
    """Times `factor` after each epoch in `boundaries`; over the first `warmup` epochs it grows linearly from 0.

    ResNet56 has the boundaries 91 and 136; ResNet18 has 30, 60, 80 and 90, with 5 epochs of warm-up (Goyal et al. 2017,
    section 2.2; TensorFlow's official models).
    """
    if epoch < warmup:
        return epoch / warmup
    return float(factor ** sum(epoch >= boundary for boundary in boundaries))
