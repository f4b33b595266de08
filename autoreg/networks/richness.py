"""Richness: how far from its initial function a network must go to fit the data, whatever its width.

With f the network and f₀ the same before training, logits are (f − f₀) / γ. With a small γ, small changes of the
weights are enough: the network is lazy, and nearly linear in them (Chizat et al. 2019, "On lazy training in
differentiable programming", call 1/γ alpha). A large γ makes it rich. γ = 1 is not the network as it is, since f₀ is
subtracted too.

The learning rate goes with γ, so that the loss falls about as fast: of SGD and momentum with γ² up to 1 and γ^(2/L)
above, L being the number of weight layers (Atanasov et al. 2025, "The optimization landscape of SGD across the feature
learning strength"). Steps of Adam and RMSProp do not go with the gradient, which 1/γ multiplies: theirs with γ and
γ^(1/L). That is derived from the former, and measured: of rates in factors of 4, the one with the smallest training
loss was 0.01 to 0.16 for Adam and 0.01 to 0.04 for RMSProp at each of seven γ from 0.03 to 30 (an MLP in muP at width
1, 500 examples of a teacher, 20 epochs, two seeds).

In muP a lazy network that fits all its examples moves as far at every width from 64 units on; one of 32 moves about 1.4
times as far. With more examples than narrow networks fit, those move further still (`docs/science.md`).
"""

from torch import nn

from autoreg.config.trial import TrialConfig
from autoreg.errors import ConfigError
from autoreg.networks.network import Network


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
