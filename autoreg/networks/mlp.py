"""The multilayer perceptron with one hidden layer (paper, section 3.1 and appendix B.4; released code: MLP1)."""

from math import prod
from typing import Annotated

from pydantic import Field
from torch import nn

from autoreg.networks.network import Network, networks, units


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
    hidden_layer, output = nn.Linear(prod(input_shape), count), nn.Linear(count, classes)
    nn.init.zeros_(hidden_layer.bias)
    nn.init.zeros_(output.bias)
    stages = [
        ("flatten", nn.Flatten()),
        ("hidden", nn.Sequential(hidden_layer, nn.ReLU())),
        ("dropout", nn.Dropout(dropout)),
        ("output", output),
    ]
    return Network(stages, measured=["hidden"])
