"""A small network for images of any size, from outside the package."""

from torch import nn

from autoreg.networks import Network


def build(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    """Return a network of one convolution."""
    units = int(8 * width)
    return Network(
        [
            ("conv", nn.Sequential(nn.Conv2d(input_shape[0], units, 5, 4), nn.ReLU())),
            ("pool", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())),
            ("output", nn.Linear(units, classes)),
        ],
        measured=["conv"],
    )
