"""The multilayer perceptron with one hidden layer (paper, section 3.1 and appendix B.4; released code: MLP1)."""

from math import prod
from typing import Annotated

from pydantic import Field
from torch import nn

from autoreg.networks.network import Network, linear, networks
from autoreg.networks.sizes import units


@networks.register
def mlp(
    width: float,
    input_shape: tuple[int, ...],
    classes: int,
    dropout: float,
    *,
    hidden: Annotated[int, Field(ge=1)] = 128,
) -> Network:
    """Return inputs → `hidden`·width ReLU units → logits, with zero biases."""
    count = units(hidden, width)
    stages = [
        ("flatten", nn.Flatten()),
        ("hidden", nn.Sequential(linear(prod(input_shape), count), nn.ReLU())),
        ("dropout", nn.Dropout(dropout)),
        ("output", linear(count, classes)),
    ]
    return Network(stages, measured=["hidden"])
