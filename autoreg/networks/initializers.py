"""Initial weights: each initializer fills one weight tensor (paper, section 3 and appendix B.3).

The "normal" ones draw from a normal truncated at two standard deviations, as TensorFlow's do; those of Glorot, He and
LeCun are then scaled so that the truncated distribution has the wanted variance.
"""

from collections.abc import Callable
from functools import partial
from math import sqrt
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from autoreg.config.trial import Choice
from autoreg.errors import ConfigError
from autoreg.networks import Network
from autoreg.networks.network import weight_of
from autoreg.networks.parametrization import fill_as_at_width_1
from autoreg.networks.scale import Scale
from autoreg.registry import Registry
from autoreg.seeds import derive_seed

#: (weight, is_output, generator, *, options…): fills `weight` in place.
initializers: Registry[Callable[..., Any]] = Registry("initializer", "weight", "is_output", "generator")

#: The standard deviation of a standard normal that is truncated at ±2.
TRUNCATED_STD = 0.87962566103423978


def initialize(network: Network, initializer: Choice, replicate: int) -> None:
    """Fill the weights of linear and convolutional maps, the same for a replicate; all else, and the frozen, stays."""
    fill = initializers[initializer.name]
    generator = torch.Generator().manual_seed(derive_seed(replicate, "initial weights"))
    maps: list[Any] = [module for _, module in network.maps()]
    names = {id(parameter): name for name, parameter in network.named_parameters()}

    def draw(tensor: Tensor, is_output: bool) -> None:
        given = fill(tensor, is_output, generator, **initializer.options)
        if isinstance(given, Tensor) and given.data_ptr() != tensor.data_ptr():
            raise ConfigError(f"initializer {initializer.name!r} must fill the weight in place, it returns another")

    with torch.no_grad():
        for index, module in enumerate(maps):
            if not weight_of(module).requires_grad:  # frozen: what training does not change is the user's
                continue
            weight: Any = module.weight
            outputs_first = _outputs_first(module, weight)
            is_output = index == len(maps) - 1
            if (scale := network.scales.get(names[id(weight_of(module))], Scale())) == Scale():
                draw(outputs_first, is_output)
            else:
                fill_as_at_width_1(weight, scale, partial(draw, is_output=is_output))
            if _is_transposed(module) and module.groups > 1:  # they were swapped in a copy
                weight.copy_(_swapped(outputs_first, module.groups))
            if is_parametrized(module, "weight"):
                module.weight = weight  # so that magnitudes and directions, for example, give it


@initializers.register
def glorot_normal(weight: Tensor, is_output: bool, generator: torch.Generator) -> None:
    """Variance 2 / (fan in + fan out)."""
    _truncated_normal(weight, sqrt(2 / sum(_fans(weight))), generator)


@initializers.register
def glorot_uniform(weight: Tensor, is_output: bool, generator: torch.Generator) -> None:
    """Variance 2 / (fan in + fan out)."""
    _uniform(weight, sqrt(2 / sum(_fans(weight))), generator)


@initializers.register
def he_normal(weight: Tensor, is_output: bool, generator: torch.Generator) -> None:
    """Variance 2 / fan in."""
    _truncated_normal(weight, sqrt(2 / _fans(weight)[0]), generator)


@initializers.register
def he_uniform(weight: Tensor, is_output: bool, generator: torch.Generator) -> None:
    """Variance 2 / fan in."""
    _uniform(weight, sqrt(2 / _fans(weight)[0]), generator)


@initializers.register
def lecun_normal(weight: Tensor, is_output: bool, generator: torch.Generator) -> None:
    """Variance 1 / fan in."""
    _truncated_normal(weight, sqrt(1 / _fans(weight)[0]), generator)


@initializers.register
def lecun_uniform(weight: Tensor, is_output: bool, generator: torch.Generator) -> None:
    """Variance 1 / fan in."""
    _uniform(weight, sqrt(1 / _fans(weight)[0]), generator)


@initializers.register
def resnet_v1(weight: Tensor, is_output: bool, generator: torch.Generator) -> None:
    """`glorot_uniform` for the output layer and `lecun_normal` for the others, as in TensorFlow's official ResNets."""
    fill = glorot_uniform if is_output else lecun_normal
    fill(weight, is_output, generator)


@initializers.register
def normal(
    weight: Tensor,
    is_output: bool,
    generator: torch.Generator,
    *,
    sigma: Annotated[float, Field(gt=0)],
    hidden_ratio: Annotated[float, Field(gt=0)] = 0.1,
) -> None:
    """A normal of `sigma` for the output layer and `hidden_ratio`·`sigma` for the others, cut at two of its sigmas.

    The paper's figures B4 and B5 name the output layer's sigma; its first layer has a tenth of it. The cut lowers the
    standard deviation to 0.88 sigma, as in the released code.
    """
    deviation = sigma if is_output else hidden_ratio * sigma
    nn.init.trunc_normal_(weight, std=deviation, a=-2 * deviation, b=2 * deviation, generator=generator)


def weight_matrix(module: Any) -> Tensor:
    """Return the weight of a linear or convolutional map as a matrix, [outputs, the rest]: a row for each kernel."""
    return _outputs_first(module, module.weight).detach().flatten(1)


def _is_transposed(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.conv._ConvTransposeNd)  # whose inputs stand first


def _outputs_first(module: Any, weight: Tensor) -> Tensor:
    return _swapped(weight, module.groups) if _is_transposed(module) else weight


def _swapped(weight: Tensor, groups: int) -> Tensor:
    """Return [inputs, outputs / groups, …] as [outputs, inputs / groups, …], or the other way round."""
    return weight.view(groups, -1, *weight.shape[1:]).transpose(1, 2).flatten(0, 1)


def _fans(weight: Tensor) -> tuple[int, int]:
    field = weight[0][0].numel()
    return weight.shape[1] * field, weight.shape[0] * field


def _truncated_normal(weight: Tensor, deviation: float, generator: torch.Generator) -> None:
    scale = deviation / TRUNCATED_STD
    nn.init.trunc_normal_(weight, std=scale, a=-2 * scale, b=2 * scale, generator=generator)


def _uniform(weight: Tensor, deviation: float, generator: torch.Generator) -> None:
    limit = sqrt(3) * deviation
    nn.init.uniform_(weight, -limit, limit, generator=generator)
