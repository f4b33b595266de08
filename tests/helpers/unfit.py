"""A network and a dataset of a user's that do not fit all of training."""

from pathlib import Path

import torch
from torch import nn

from autoreg.datasets import Dataset, Split
from autoreg.networks import Network


def build(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    """Return a network whose hidden layer is normalized over each batch."""
    units = int(16 * width)
    hidden = nn.Sequential(nn.Linear(input_shape[0], units), nn.BatchNorm1d(units), nn.ReLU())
    return Network([("hidden", hidden), ("output", nn.Linear(units, classes))], measured=["hidden"])


def labelled(root: Path | None, *, bits: int = 32) -> Dataset:
    """Return examples with integers of so many bits for labels."""
    inputs, labels = torch.arange(40.0).reshape(20, 2), torch.arange(20) % 2
    split = Split(inputs, labels.to(getattr(torch, f"int{bits}")))
    return Dataset(split, split, split, (2,), 2, f"labels of {bits} bits")
