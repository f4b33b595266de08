"""Optimizers descend, schedules have their values, and weight decay acts where the network says."""

from collections.abc import Callable

import pytest
import torch

from autoreg.config import Choice, TrialConfig
from autoreg.networks import build_network
from autoreg.optimizers import build_optimizer, learning_rate_at, optimizers, schedules

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


def test_schedules_have_their_values(config: MakeConfig) -> None:
    assert set(schedules) == {"constant", "exponential"}
    exponential = config(schedule=Choice(name="exponential"), learning_rate=0.5, lr_batch_factor=2.0)
    assert [learning_rate_at(exponential, epoch) for epoch in range(3)] == pytest.approx([1.0, 0.95, 0.9025])
    assert learning_rate_at(config(), 100) == 0.1


def test_weight_decay_acts_on_the_weights_that_the_network_names(config: MakeConfig) -> None:
    made = config(network=Choice(name="alexnet"), weight_decay=1e-3)
    network = build_network(made, (3, 32, 32), 10)
    decayed, rest = build_optimizer(made, network).param_groups
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    assert {names[id(parameter)] for parameter in decayed["params"]} == {"stages.fc3.0.weight", "stages.fc4.0.weight"}
    assert decayed["weight_decay"] == 1e-3
    assert rest["weight_decay"] == 0
    assert len(decayed["params"]) + len(rest["params"]) == len(names)
