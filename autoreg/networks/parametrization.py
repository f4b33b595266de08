"""The maximal-update parametrization: how a network's parameters grow with its width, and what follows from it.

In the standard parametrization a wider network moves less: each step changes its weights by a smaller share. In this
one, muP, every layer changes as much at every width (Yang and Hu 2021, "Tensor Programs IV"; Yang et al. 2022, "Tensor
Programs V", table 3, without multipliers in the forward pass). At width 1 both are the same. With m_in and m_out for a
parameter's inputs and outputs over those at width 1, where they grow with the width:

| | deviation of initial weights | rate of SGD, momentum | rate of Adam, RMSProp |
|---|---|---|---|
| input (only outputs grow) | as at width 1 | × m_out | × 1 |
| hidden | as at width 1, ÷ √m_in | × m_out / m_in | ÷ m_in |
| output (only inputs grow) | as at width 1, ÷ m_in | ÷ m_in | ÷ m_in |
| biases, normalisation | as built | × m_out | × 1 |
"""

from collections.abc import Callable
from math import sqrt

import torch
from torch import Tensor, nn

from autoreg.errors import ConfigError
from autoreg.networks.network import MAPS, NORMALIZATIONS, Network
from autoreg.networks.scale import Scale

_HOW = "make it a weight of a linear map, of a convolution or of a normalisation, or use standard"


def scales(network: Network, base: Network, wider: Network) -> dict[str, Scale]:
    """Return how each parameter that is trained grows, by its name.

    Args:
        network: at its width.
        base: the same at width 1.
        wider: at width 2, which tells the sides that grow.

    Raises:
        ConfigError: it is not known which sides of a parameter are inputs and outputs.
    """
    owners = {id(parameter): module for module in network.modules() for parameter in module.parameters(recurse=False)}
    shapes = [dict(_shapes(each)) for each in (base, wider)]
    found = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        first, second = (each.get(name, torch.Size()) for each in shapes)
        if not parameter.ndim == len(first) == len(second):
            raise ConfigError(f"mup: the network has another parameter {name!r} at width 1 or 2")
        growing = [side for side in range(parameter.ndim) if first[side] != second[side]]
        growth = [parameter.shape[side] / first[side] if side in growing else 1.0 for side in range(parameter.ndim)]
        found[name] = _scale(name, owners[id(parameter)], growing, growth)
    return found


def _shapes(network: Network) -> list[tuple[str, torch.Size]]:
    return [(name, parameter.shape) for name, parameter in network.named_parameters()]


def _scale(name: str, module: nn.Module, growing: list[int], growth: list[float]) -> Scale:
    """Return how a parameter grows, of which some sides do."""
    if not growing:
        return Scale()
    if isinstance(module, nn.modules.conv._ConvTransposeNd) and len(growth) > 1:
        raise ConfigError(f"mup: {name!r} is transposed, and mup does not know its inputs; {_HOW}")
    if len(growing) == 1 and (len(growth) == 1 or isinstance(module, NORMALIZATIONS)):
        return Scale(outputs=growth[growing[0]])
    if not isinstance(module, MAPS) or not {0, 1}.issuperset(growing):
        raise ConfigError(f"mup: which sides of {name!r} are inputs and outputs is not known; {_HOW}")
    outputs, inputs = growth[:2]
    return Scale(inputs, outputs, 1 / sqrt(inputs) if 0 in growing else 1 / inputs)


def fill_as_at_width_1(weight: Tensor, scale: Scale, fill: Callable[[Tensor], None]) -> None:
    """Fill a weight, [outputs, inputs, …], with what an initializer draws at width 1, times the scale's deviation.

    It is drawn block by block, each of the size at width 1, so that any initializer sees the inputs and outputs there.
    """
    shape = round(len(weight) / scale.outputs), round(weight.shape[1] / scale.inputs)
    for row in range(0, len(weight), shape[0]):
        for column in range(0, weight.shape[1], shape[1]):
            block = weight.new_empty(*shape, *weight.shape[2:])
            fill(block)
            part = weight[row : row + shape[0], column : column + shape[1]]
            part.copy_(block[: len(part), : part.shape[1]] * scale.deviation)
