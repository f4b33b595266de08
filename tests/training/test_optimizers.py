"""Optimizers descend, schedules have their values, and weight decay acts where the network says."""

import re
from collections.abc import Callable

import pytest
import torch
from torch import nn

from autoreg.config.trial import Choice, TrialConfig
from autoreg.errors import ConfigError
from autoreg.networks import Network, build_network
from autoreg.training.optimizers import build_optimizer, learning_rate_at, optimizers, schedules

MakeConfig = Callable[..., TrialConfig]


@pytest.mark.parametrize("name", list(optimizers))
def test_a_step_of_every_optimizer_lowers_the_loss(config: MakeConfig, name: str) -> None:
    made = config(optimizer=Choice(name=name), learning_rate=0.01)
    torch.manual_seed(0)
    network = build_network(made, (10,), 2)
    optimizer = build_optimizer(made, network)
    inputs, labels = torch.randn(50, 10), torch.randint(2, (50,))
    losses = []
    for _ in range(2):
        loss = torch.nn.functional.cross_entropy(network(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[1] < losses[0]


def test_every_schedule_is_tested_here() -> None:
    assert set(schedules) == {"constant", "exponential", "step"}


def rates(made: TrialConfig, *epochs: float) -> list[float]:
    return [learning_rate_at(made, epoch) for epoch in epochs]


def test_constant_and_exponential_schedules_change_at_most_between_epochs(config: MakeConfig) -> None:
    assert rates(config(), 0, 0.5, 100) == [0.1, 0.1, 0.1]
    exponential = config(schedule=Choice(name="exponential"), learning_rate=0.5, lr_batch_factor=2.0)
    assert rates(exponential, 0, 0.99, 1, 1.5, 2) == pytest.approx([1.0, 1.0, 0.95, 0.95, 0.9025])
    every = config(schedule=Choice(name="exponential", options={"decay": 0.94, "every": 2}), learning_rate=1.0)
    assert rates(every, 0, 1.9, 2, 3.5, 4) == pytest.approx([1.0, 1.0, 0.94, 0.94, 0.8836])


def test_a_step_schedule_warms_up_linearly_and_then_falls_at_its_boundaries(config: MakeConfig) -> None:
    options = {"boundaries": [30, 60], "warmup": 5}
    made = config(schedule=Choice(name="step", options=options), learning_rate=2.0)
    assert rates(made, 0, 2.5, 5, 29.9, 30, 60.5) == pytest.approx([0.0, 1.0, 2.0, 2.0, 0.2, 0.02])
    halved = config(schedule=Choice(name="step", options={"boundaries": [1], "factor": 0.5}), learning_rate=2.0)
    assert rates(halved, 0, 1) == [2.0, 1.0]


@pytest.mark.parametrize("boundaries", [[60, 30], [30, 30], [0, 30], [-1]])
def test_boundaries_that_do_not_ascend_are_refused(boundaries: list[int]) -> None:
    message = "option 'boundaries' of schedule 'step' should be epochs from 1 on in ascending order, got "
    with pytest.raises(ConfigError, match=re.escape(f"{message}{boundaries}")):
        schedules.check_options("step", {"boundaries": boundaries})


@pytest.mark.parametrize(
    "options", [{}, {"boundaries": [1.5]}, {"boundaries": 3}, {"boundaries": [3], "warmup": -1}], ids=str
)
def test_other_mistakes_in_a_step_schedule_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="schedule 'step'"):
        schedules.check_options("step", options)


def test_rmsprop_has_the_options_of_inception_and_starts_from_pytorchs(config: MakeConfig) -> None:
    network = build_network(config(), (10,), 2)
    plain = build_optimizer(config(optimizer=Choice(name="rmsprop")), network)
    assert plain.defaults == torch.optim.RMSprop(network.parameters(), lr=0.1, alpha=0.9).defaults
    options = {"decay": 0.8, "momentum": 0.9, "epsilon": 1.0}
    made = build_optimizer(config(optimizer=Choice(name="rmsprop", options=options)), network)
    [group, _] = made.param_groups
    assert (group["alpha"], group["momentum"], group["eps"]) == (0.8, 0.9, 1.0)


def is_scale_or_shift(network: Network, name: str) -> bool:
    return isinstance(network.get_submodule(name.rpartition(".")[0]), nn.BatchNorm2d)


@pytest.mark.parametrize(
    ("name", "shape", "decays"),
    [
        ("mlp", (10,), lambda network, name: name.endswith("weight")),
        ("alexnet", (3, 32, 32), lambda network, name: name in ("stages.fc3.0.weight", "stages.fc4.0.weight")),
        ("resnet56", (3, 32, 32), lambda network, name: True),
        ("resnet18", (3, 64, 64), lambda network, name: not is_scale_or_shift(network, name)),
        ("inception_v3", (3, 299, 299), lambda network, name: network.get_parameter(name).ndim > 1),
        ("inception_v3_layer", (3, 299, 299), lambda network, name: network.get_parameter(name).ndim > 1),
    ],
)
def test_weight_decay_acts_on_the_parameters_that_the_network_names(
    config: MakeConfig, name: str, shape: tuple[int, ...], decays: Callable[[Network, str], bool]
) -> None:
    made = config(network=Choice(name=name), weight_decay=1e-3)
    with torch.device("meta"):
        network = build_network(made, shape, 10)
    decayed, rest = build_optimizer(made, network).param_groups
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    wanted = {parameter for parameter in names.values() if decays(network, parameter)}
    assert {names[id(parameter)] for parameter in decayed["params"]} == wanted
    assert (decayed["weight_decay"], rest["weight_decay"]) == (1e-3, 0)
    assert len(decayed["params"]) + len(rest["params"]) == len(names)
