"""Optimizers, learning-rate schedules and the parameters that weight decay acts on."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import torch
from pydantic import Field
from torch.optim import Optimizer

from autoreg.config import TrialConfig
from autoreg.networks import Network
from autoreg.registry import Registry

#: (parameter groups, learning_rate, *, options…) -> Optimizer
optimizers: Registry[Callable[..., Optimizer]] = Registry("optimizer")
#: (epoch counted from 0, *, options…) -> factor of the learning rate
schedules: Registry[Callable[..., float]] = Registry("schedule")

Parameters = Iterable[dict[str, Any]]


def build_optimizer(config: TrialConfig, network: Network) -> Optimizer:
    """Return the trial's optimizer. Weight decay is L2 (added to the gradient) on the stages that the network names."""
    decayed = {id(weight) for stage, weight in network.weights() if stage in network.decayed}
    groups = [
        {"params": [p for p in network.parameters() if id(p) in decayed], "weight_decay": config.weight_decay},
        {"params": [p for p in network.parameters() if id(p) not in decayed], "weight_decay": 0.0},
    ]
    build = optimizers[config.optimizer.name]
    return build(groups, config.effective_learning_rate, **config.optimizer.options)


def learning_rate_at(config: TrialConfig, epoch: int) -> float:
    """Return the learning rate of an epoch, counted from 0."""
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
def rmsprop(parameters: Parameters, learning_rate: float) -> Optimizer:
    """RMSProp with TensorFlow's decay of 0.9, at the given learning rate; the authors' code used a tenth of it."""
    return torch.optim.RMSprop(parameters, lr=learning_rate, alpha=0.9)


@schedules.register
def constant(epoch: int) -> float:
    """The same learning rate in every epoch."""
    return 1.0


@schedules.register
def exponential(epoch: int, *, decay: Annotated[float, Field(gt=0, le=1)] = 0.95) -> float:
    """`decay` to the power of the epoch; 0.95 is the paper's."""
    return float(decay**epoch)
