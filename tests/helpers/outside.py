"""A network and a metric from outside the package, as a user would write them."""

import polars as pl
from torch import nn

from autoreg.datasets import Dataset
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


def units(network: Network, dataset: Dataset, split: str, replicate: int) -> pl.DataFrame:
    """Return the number of units of each layer."""
    inputs, _ = next(dataset.batches(split))
    return pl.DataFrame([{"layer": layer, "units": values.shape[1]} for layer, values in network.walk(inputs)])
