"""Removable units: how many predicted labels stay unchanged while a growing share of units is dropped."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import polars as pl
import torch
from pydantic import Field
from torch import Tensor

from autoreg.datasets import Dataset
from autoreg.metrics.metric import metric
from autoreg.networks import Network
from autoreg.seeds import derive_seed

Granularity = Literal["kernel", "application"]
#: Base labels and masked labels of one batch, by (scope, granularity, layer, sample, fraction index).
Key = tuple[str, str, str | None, int, int]


@metric(version=1)
@torch.inference_mode()
def ablation(
    network: Network,
    dataset: Dataset,
    split: str,
    replicate: int,
    *,
    fractions: Annotated[int, Field(ge=2)] = 7,
    samples: Annotated[int, Field(ge=1)] = 3,
) -> pl.DataFrame:
    """Return one row for each scope, granularity, layer, sample and fraction of dropped units.

    A dropped unit's activation is set to 0 for every input; the others are not rescaled. The units dropped at one
    fraction are dropped at all larger ones too.

    - Scope `layer` drops units of one layer (the paper's text, section 3); `network` drops the same share of every
      measured layer at once (the released code, for CIFAR-10 and the MLPs), and its `layer` is null.
    - Granularity `kernel` drops whole units, at all positions (the released code); `application` drops single
      applications of a kernel (the paper's text). They are one for fully connected layers.

    Args:
        network: in evaluation mode.
        dataset: on the network's device.
        split: `train`, `validation` or `test`.
        replicate: seeds the choice of units.
        fractions: how many equally spaced fractions from 0 to 1, both included; at least 2.
        samples: how many random choices of units; at least 1.

    Returns:
        Columns scope, granularity, layer, sample, fraction, and two shares of the split's examples in [0, 1]:
        unchanged (same label as the intact network) and accuracy (true label).
    """
    counts: dict[Key, Tensor] = {}
    orders: dict[tuple[str, Granularity], list[Tensor]] = {}
    for inputs, labels in dataset.batches(split):
        activations = dict(network.walk(inputs))
        orders = orders or _draw_orders(activations, samples, replicate)
        last = network.measured[-1]
        base = network.after(last)(activations[last]).argmax(1)
        for key, predicted in _predictions(network, activations, base, orders, fractions):
            hits = torch.stack([(predicted == base).sum(), (predicted == labels).sum()])
            counts[key] = counts[key] + hits if key in counts else hits
    return _as_rows(network, orders, counts, fractions, len(dataset.split(split)))


def _predictions(
    network: Network,
    activations: dict[str, Tensor],
    base: Tensor,
    orders: dict[tuple[str, Granularity], list[Tensor]],
    fractions: int,
) -> Iterator[tuple[Key, Tensor]]:
    """Yield the labels that one batch gets under each mask, each mask's pass starting where the mask first acts."""
    samples = range(len(next(iter(orders.values()))))
    granularities: set[Granularity] = {granularity for _, granularity in orders}
    for sample in samples:
        for step in range(fractions):
            share = Dropped(step, fractions - 1)
            for (layer, granularity), drawn in orders.items():
                key = ("layer", granularity, layer, sample, step)
                yield key, share.labels(network, activations, base, {layer: drawn[sample]})
            for granularity in granularities:
                masked = {
                    layer: orders.get((layer, granularity), orders[layer, "kernel"])[sample]
                    for layer in network.measured
                }
                yield ("network", granularity, None, sample, step), share.labels(network, activations, base, masked)


@dataclass(frozen=True)
class Dropped:
    """The share `step / steps` of units that is dropped."""

    step: int
    steps: int

    def labels(
        self, network: Network, activations: dict[str, Tensor], base: Tensor, orders: dict[str, Tensor]
    ) -> Tensor:
        """Return the predicted labels, [batch], with this share dropped from each layer in `orders`.

        Nothing is dropped at step 0. At the last step no input gets through, so one stands for all.
        """
        if self.step == 0:
            return base
        layers = list(orders)
        values = activations[layers[0]]
        if self.step == self.steps:
            values = values[:1]
        for layer, following in zip(layers, [*layers[1:], None], strict=True):
            # In the layout of the activations, or the product would be laid out anew.
            values = values * self.mask(orders[layer], values)
            values = (network.between(layer, following) if following else network.after(layer))(values)
        return values.argmax(1).expand(len(base))

    def mask(self, order: Tensor, values: Tensor) -> Tensor:
        """Return 1 for units that are kept and 0 for dropped ones: the first int(share·units) of the order."""
        dropped = order.numel() * self.step // self.steps
        return (order >= dropped).to(values.dtype)


def _draw_orders(
    activations: dict[str, Tensor], samples: int, replicate: int
) -> dict[tuple[str, Granularity], list[Tensor]]:
    """Draw, for each layer and sample, the place of every unit in the order in which units are dropped."""
    orders: dict[tuple[str, Granularity], list[Tensor]] = {}
    for layer, values in activations.items():
        units, positions = values.shape[1], values.shape[2:]
        shapes: dict[Granularity, tuple[int, ...]] = {"kernel": (units, *(1 for _ in positions))}
        if positions.numel() > 1:
            shapes["application"] = (units, *positions)
        for granularity, shape in shapes.items():
            for sample in range(samples):
                seed = derive_seed(replicate, "ablation", layer, granularity, sample)
                generator = torch.Generator().manual_seed(seed)
                drawn = torch.randperm(torch.Size(shape).numel(), generator=generator).reshape(shape)
                orders.setdefault((layer, granularity), []).append(drawn.to(values.device))
    return orders


def _as_rows(
    network: Network,
    orders: dict[tuple[str, Granularity], list[Tensor]],
    counts: dict[Key, Tensor],
    fractions: int,
    examples: int,
) -> pl.DataFrame:
    # A fully connected layer has one application of each unit: both granularities are the same numbers.
    flat = {layer for layer in network.measured if (layer, "application") not in orders}
    copies = {
        (scope, "application", layer, sample, step): hits
        for (scope, _, layer, sample, step), hits in counts.items()
        if (layer in flat) or (layer is None and len(flat) == len(network.measured))
    }
    every = {**counts, **copies}
    shares = torch.stack(list(every.values())).double().div(examples).tolist()
    rows = [
        (scope, granularity, layer, sample, step / (fractions - 1), unchanged, accuracy)
        for (scope, granularity, layer, sample, step), (unchanged, accuracy) in zip(every, shares, strict=True)
    ]
    columns = ["scope", "granularity", "layer", "sample", "fraction", "unchanged", "accuracy"]
    return pl.DataFrame(rows, schema=columns, orient="row", schema_overrides={"layer": pl.String}).sort(columns[:5])
