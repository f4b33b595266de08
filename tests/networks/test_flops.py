"""FLOPs are those that one counts by hand: two for each weight of a product, at each of its positions."""

from collections.abc import Callable

import pytest

from autoreg.config.trial import Choice, TrialConfig
from autoreg.networks import forward_flops

MakeConfig = Callable[..., TrialConfig]


@pytest.mark.parametrize(("width", "hidden"), [(0.25, 32), (1.0, 128), (4.0, 512)])
def test_flops_of_the_mlp(config: MakeConfig, width: float, hidden: int) -> None:
    assert forward_flops(config(width=width), (10,), 2) == 2 * (10 * hidden + hidden * 2)


@pytest.mark.parametrize("width", [0.25, 1.0, 4.0])
def test_flops_of_alexnet(config: MakeConfig, width: float) -> None:
    conv1, conv2, fc3, fc4 = (int(units * width) for units in (96, 256, 384, 192))
    products = 32 * 32 * conv1 * 3 * 25 + 16 * 16 * conv2 * conv1 * 25 + 8 * 8 * conv2 * fc3 + fc3 * fc4 + fc4 * 10
    assert forward_flops(config(network=Choice(name="alexnet"), width=width), (3, 32, 32), 10) == 2 * products


def test_nothing_is_said_of_a_network_that_looks_at_its_values(config: MakeConfig) -> None:
    made = config(network=Choice(name="tests.networks.test_flops:curious"))
    assert forward_flops(made, (10,), 2) is None


def curious(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> object:
    from torch import Tensor, nn

    from autoreg.networks import Network

    class Curious(nn.Linear):
        def forward(self, inputs: Tensor) -> Tensor:
            return super().forward(inputs if inputs.sum() > 0 else -inputs)

    return Network([("first", Curious(*input_shape, 4)), ("output", nn.Linear(4, classes))], measured=["first"])
