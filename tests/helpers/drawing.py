"""A network and a dataset of a user's own that draw by other generators than PyTorch's."""

import random

import numpy as np
import torch
from torch import Tensor, nn

from autoreg.datasets import Dataset, Split
from autoreg.networks import Network


class Features(nn.Module):
    def __init__(self, inputs: int) -> None:
        super().__init__()
        drawn = np.random.randn(8, inputs) + random.random()
        self.register_buffer("drawn", torch.from_numpy(drawn).float())

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.relu(nn.functional.linear(inputs, self.drawn))  # type: ignore[arg-type]


def build(width: float, input_shape: tuple[int, ...], classes: int, dropout: float, *, double: bool = False) -> Network:
    if double:
        torch.set_default_dtype(torch.float64)
    return Network([("first", Features(input_shape[0])), ("output", nn.Linear(8, classes))], measured=["first"])


def noisy(root: object) -> Dataset:
    """Return a dataset whose augmentation draws from a generator that it keeps."""
    generator, kept = torch.Generator().manual_seed(0), np.random.default_rng(0)
    inputs = torch.randn(200, 10, generator=generator)
    split = Split(inputs, (inputs[:, 0] > 0).long())

    def augment(stored: Tensor, _: torch.Generator) -> Tensor:
        return stored + torch.from_numpy(kept.standard_normal(tuple(stored.shape))).float()

    return Dataset(split, split, split, (10,), 2, "noisy", augment=augment)


#: How often `counted` made a dataset.
MADE: list[str] = []


def counted(root: object, *, way: str = "plain") -> Dataset:
    """Return a dataset of tensors alone, or one of which something is left to run or to chance."""
    MADE.append(way)
    inputs = torch.randn(200, 10, generator=torch.Generator().manual_seed(0))
    split = Split(inputs, (inputs[:, 0] > 0).long())
    match way:
        case "prepares":
            return Dataset(split, split, split, (10,), 2, way, prepare=lambda stored: stored.float())
        case "augments":
            return Dataset(split, split, split, (10,), 2, way, augment=lambda stored, _: stored)
        case "draws by torch":
            torch.randn(1)
        case "draws by numpy":
            np.random.randn(1)
    return Dataset(split, split, split, (10,), 2, way)
