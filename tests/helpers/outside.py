"""A network from outside the package, as a user would write it."""

from torch import nn

from autoreg.networks import Network


def build(width: float, input_shape: tuple[int, ...], classes: int, dropout: float, *, depth: int = 1) -> Network:
    """Return a network of one hidden layer."""
    units = int(16 * width)
    return Network(
        [
            ("hidden", nn.Sequential(nn.Linear(input_shape[0], units), nn.ReLU())),
            ("dropout", nn.Dropout(dropout)),
            ("output", nn.Linear(units, classes)),
        ],
        measured=["hidden"],
    )
