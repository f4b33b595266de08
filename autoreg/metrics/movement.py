"""Movement: how far training took each layer's weights, and what they compute, from where they began."""

from math import sqrt
from typing import Any

import polars as pl
import torch
from torch import Tensor

from autoreg.datasets import Dataset
from autoreg.errors import DataError
from autoreg.metrics.metric import metric
from autoreg.moments import vectors_of
from autoreg.networks import Network
from autoreg.networks.initializers import weight_matrix

#: Products are summed over this many columns of weights at a time, and over this many activation vectors.
COLUMNS, ROWS = 4096, 1024


@metric(version=1, by_default=False, from_initial=True)
@torch.inference_mode()
def movement(network: Network, dataset: Dataset, split: str, replicate: int) -> pl.DataFrame:
    """Return one row for each measured layer, with the weights in it and before it, and for each stage of others.

    W are the weights of a linear or convolutional map, [outputs, the rest], and W₀ those before training. Biases and
    normalisation are left out. A unit that is constant on the split before training and after has not changed: its
    activation change is 0. One that is constant at one of the times only has nothing in common with itself: 1.

    Args:
        network: in evaluation mode; it remembers itself before training.
        dataset: on the network's device.
        split: `train`, `validation` or `test`; for activations.
        replicate: has no meaning here.

    Returns:
        Columns layer; lists of one value a map: map (its name), initial_norm (‖W₀‖, Frobenius), movement
        (‖W − W₀‖ / ‖W₀‖, Frobenius) and spectral_movement (the same of the largest singular values), both null where W₀
        is 0. Of a measured layer also units, activation_change (1 − Pearson r of a unit's activations before and after
        training, over the split's examples and positions; mean over the units, in [0, 2]), constant_before and
        constant_after (how many units are constant); null for others.

    Raises:
        DataError: the network does not remember itself before training.
    """
    if network.initial is None:
        raise DataError("movement needs the network before training, which only a trial has")
    changes = _activation_changes(network, network.initial, dataset, split)
    names = {id(module): name.removeprefix("stages.") for name, module in network.named_modules()}
    rows: dict[str, dict[str, Any]] = {}
    for (stage, module), (_, before) in zip(network.maps(), network.initial.maps(), strict=True):
        layer = _layer_of(network, stage)
        row = rows.setdefault(layer, {"layer": layer, **_NO_MAPS})
        moved = {"map": names[id(module)], **_moved(weight_matrix(before), weight_matrix(module))}
        row |= {column: [*row[column], value] for column, value in moved.items()}
    for layer, change in changes.items():
        rows.setdefault(layer, {"layer": layer, **_NO_MAPS}).update(change)
    return pl.DataFrame(list(rows.values()), schema=_SCHEMA)


def _layer_of(network: Network, stage: str) -> str:
    """Return the measured layer that a stage is, or leads to; the stage itself if none comes after it."""
    onwards = list(network.stages._modules)
    onwards = onwards[onwards.index(stage) :] if stage in onwards else []
    return next((name for name in onwards if name in network.measured), stage)


_NO_MAPS: dict[str, list[Any]] = {"map": [], "initial_norm": [], "movement": [], "spectral_movement": []}
_SCHEMA: dict[str, Any] = {
    "layer": pl.String,
    "map": pl.List(pl.String),
    "initial_norm": pl.List(pl.Float64),
    "movement": pl.List(pl.Float64),
    "spectral_movement": pl.List(pl.Float64),
    "units": pl.Int32,
    "activation_change": pl.Float64,
    "constant_before": pl.Int32,
    "constant_after": pl.Int32,
}


def _moved(before: Tensor, after: Tensor) -> dict[str, float | None]:
    change = after - before
    norm, largest = float(torch.linalg.vector_norm(before, dtype=torch.float64)), _spectral_norm(before)
    frobenius = float(torch.linalg.vector_norm(change, dtype=torch.float64))
    return {
        "initial_norm": norm,
        "movement": frobenius / norm if norm else None,
        "spectral_movement": _spectral_norm(change) / largest if norm else None,
    }


def _spectral_norm(matrix: Tensor) -> float:
    """Return the largest singular value, by the smaller of the two Gram matrices in float64."""
    flat = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    gram = flat.new_zeros(len(flat), len(flat), dtype=torch.float64)
    for part in torch.split(flat, COLUMNS, dim=1):
        gram.addmm_(part.double(), part.double().T)
    return sqrt(max(0.0, float(torch.linalg.eigvalsh(gram)[-1])))


def _activation_changes(network: Network, initial: Network, dataset: Dataset, split: str) -> dict[str, dict[str, Any]]:
    pairs: dict[str, _Pairs] = {}
    for inputs, _ in dataset.batches(split):
        for (layer, after), (_, before) in zip(network.walk(inputs), initial.walk(inputs), strict=True):
            both = vectors_of(before), vectors_of(after)
            pairs.setdefault(layer, _Pairs(both)).add(both)
    return {layer: found.summary() for layer, found in pairs.items()}


class _Pairs:
    """Sums over the activations of a layer's units before and after training, shifted by about their means.

    Args:
        like: the first activations that are added, before and after, each [vectors, units].
    """

    def __init__(self, like: tuple[Tensor, Tensor]) -> None:
        self.shift = [vectors.mean(0, dtype=torch.float64) for vectors in like]
        self.low, self.high = (torch.stack([vectors[0] for vectors in like]) for _ in range(2))  # [2, units]
        self.sums, self.squares = (torch.zeros_like(torch.stack(self.shift)) for _ in range(2))
        self.products, self.count = torch.zeros_like(self.shift[0]), 0

    def add(self, both: tuple[Tensor, Tensor]) -> None:
        """Add activations before and after, each [vectors, units]."""
        for parts in zip(*(torch.split(vectors, ROWS) for vectors in both), strict=True):
            self.low = self.low.minimum(torch.stack([part.amin(0) for part in parts]))
            self.high = self.high.maximum(torch.stack([part.amax(0) for part in parts]))
            before, after = (part - shift for part, shift in zip(parts, self.shift, strict=True))
            self.sums += torch.stack([before.sum(0), after.sum(0)])
            self.squares += torch.stack([before.square().sum(0), after.square().sum(0)])
            self.products += (before * after).sum(0)
            self.count += len(before)

    def summary(self) -> dict[str, float]:
        """Return what the metric says of a measured layer."""
        scatter = self.squares - self.sums.square() / self.count
        constant = (self.low == self.high) | (scatter <= 0)
        correlation = (self.products - self.sums.prod(0) / self.count) * scatter.prod(0).rsqrt()
        change = (1 - correlation.clamp(-1, 1)).where(~constant.any(0), (constant.any(0) & ~constant.all(0)).double())
        before, after = constant.sum(1).tolist()
        return {
            "units": constant.shape[1],
            "activation_change": float(change.mean()),
            "constant_before": before,
            "constant_after": after,
        }
