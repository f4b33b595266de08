"""Richness: how far from its initial function a network must go to fit the data, whatever its width.

With f the network and f₀ the same before training, logits are (f − f₀) / γ. With a small γ, small changes of the
weights are enough: the network is lazy, and nearly linear in them (Chizat et al. 2019, "On lazy training in
differentiable programming", call 1/γ alpha). A large γ makes it rich. γ = 1 is not the network as it is, since f₀ is
subtracted too.

The learning rate goes with γ, so that the loss falls about as fast: of SGD and momentum with γ² up to 1 and γ^(2/L)
above, L being the number of weight layers (Atanasov et al. 2025, "The optimization landscape of SGD across the feature
learning strength"). Steps of Adam and RMSProp do not go with the gradient, which 1/γ multiplies: theirs with γ and
γ^(1/L). That is derived from the former.
"""

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn
from typing_extensions import override

from autoreg.config.trial import TrialConfig
from autoreg.errors import ConfigError
from autoreg.networks.network import Network


class LessInitial(nn.Module):
    """(f − f₀) / γ. f₀ is whole whatever is dropped of f, in evaluation mode, and of the same inputs.

    It is no part of the network: no state_dict has it, and it is not trained. It goes to devices with it.

    Args:
        initial: f₀.
        richness: γ.
        batch: the inputs, alone in it when a pass begins.
    """

    initial: Network

    def __init__(self, initial: Network, richness: float, batch: list[Tensor]) -> None:
        super().__init__()
        self.__dict__["initial"] = initial.eval()
        self.richness, self.batch = richness, batch

    def forward(self, logits: Tensor) -> Tensor:
        """Return what logits are compared by, [batch, classes]."""
        if len(self.batch) == 1:
            with torch.no_grad():
                self.batch.append(self.initial(self.batch[0]))
        return (logits - self.batch[1]) / self.richness

    @override
    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        self.initial._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call, no-any-return]


def subtract_initial(network: Network, initial: Network, richness: float) -> None:
    """Have a network's logits be (f − f₀) / γ from now on.

    Args:
        network: f.
        initial: f₀, on the same device.
        richness: γ, above 0.
    """
    network.centre(lambda batch: LessInitial(initial, richness, batch))


def rate_factor(richness: float, layers: int, is_adaptive: bool) -> float:
    """Return what the learning rate is multiplied by.

    Args:
        richness: γ.
        layers: how many layers with weights the network has.
        is_adaptive: whether the optimizer's steps do not go with the gradient.
    """
    power = (1 if is_adaptive else 2) / (1 if richness <= 1 else layers)
    return float(richness**power)


def check_richness(config: TrialConfig, network: Network) -> None:
    """Raise ConfigError if a trial has a richness, and something with which (f − f₀) / γ is not what it trains."""
    if config.richness is None:
        return
    problems = {
        "weight averages, got weight_average": config.weight_average,
        "bfloat16, whose rounding 1/richness multiplies": config.precision == "bfloat16",
        "an auxiliary classifier": network.auxiliary,
        "a `forward` or `loss` of the network's own": (type(network).forward, type(network).loss)
        != (Network.forward, Network.loss),
        "batch normalization": any(isinstance(each, nn.modules.batchnorm._BatchNorm) for each in network.modules()),
    }
    for problem, is_there in problems.items():
        if is_there:
            raise ConfigError(f"richness does not go with {problem}")
