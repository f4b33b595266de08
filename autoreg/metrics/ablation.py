"""Removable units: how many predicted labels stay unchanged while a growing share of units is dropped."""

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from itertools import groupby, product
from operator import itemgetter
from typing import Annotated

import numpy as np
import polars as pl
import torch
from pydantic import Field
from torch import Tensor, nn

from autoreg.datasets import Dataset
from autoreg.errors import DataError
from autoreg.metrics.metric import metric
from autoreg.networks import Network
from autoreg.networks.hooked import Hooked
from autoreg.networks.pool_first import is_pooling
from autoreg.runs.records import Layer
from autoreg.seeds import derive_seed

#: How many units each measured layer drops, in the network's order.
Counts = tuple[int, ...]
#: For one granularity and sample: the place of every unit in the order in which units are dropped, by layer.
Orders = dict[str, Tensor]


def dropped_counts(units: int, fractions: int) -> list[int]:
    """Return how many whole units are dropped at each fraction: int(f·N) in floating point, as the released code does.

    So of 72 units 59 are dropped at 5/6, since 5 · (1/6) is a little less (get_robustness.py, lines 140 and 244).
    """
    return [int(fraction * units) for fraction in np.linspace(0, 1, fractions)]


def _exact_counts(units: int, fractions: int) -> list[int]:
    return [units * step // (fractions - 1) for step in range(fractions)]


def _is_revised(layers: Sequence[Layer], *, fractions: int = 7, **_: object) -> bool:
    """Whether version 1, which dropped the exact shares of whole units, dropped others of one of these layers."""
    return any(
        dropped_counts(units, fractions) != _exact_counts(units, fractions)
        for units in {layer.units for layer in layers}
    )


@metric(version=1, revised=_is_revised)
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

    Raises:
        DataError: with some units dropped, the logits are NaN or ±inf.
    """
    hits: dict[tuple[str, int, Counts], Tensor] = {}
    drawn: dict[tuple[str, int], Orders] = {}
    predictions = _predictions_of_whole if isinstance(network, Hooked) else _predictions
    for inputs, labels in dataset.batches(split):
        activations = dict(network.walk(inputs))
        drawn = drawn or _draw_orders(activations, samples, replicate)
        intact = (0,) * len(activations)
        last = network.measured[-1]
        base = network.after(last)(activations[last]).argmax(1)
        for (granularity, sample), orders in drawn.items():
            wanted = set(_masks(orders, fractions, granularity).values()) - {intact}
            for counts, predicted in [(intact, base), *predictions(network, activations, orders, wanted)]:
                found = torch.stack([(predicted == base).sum(), (predicted == labels).sum(), (predicted < 0).sum()])
                key = granularity, sample, counts
                hits[key] = hits[key] + found if key in hits else found
    return _as_rows(drawn, hits, fractions, samples, len(dataset.split(split)))


def _masks(orders: Orders, fractions: int, granularity: str) -> dict[tuple[str | None, int], Counts]:
    """Return what is dropped for each layer, None being the network, and step: so many of a layer's units.

    In a narrow layer several fractions may drop the same units. The layers without positions are left out for single
    applications, which are whole units there.
    """
    counts = {
        layer: (dropped_counts if order.numel() == len(order) else _exact_counts)(order.numel(), fractions)
        for layer, order in orders.items()
    }
    masks: dict[tuple[str | None, int], Counts] = {}
    for step in range(fractions):
        dropped = {layer: counts[layer][step] for layer in orders}
        masks[None, step] = tuple(dropped.values())
        for layer in orders:
            if granularity == "kernel" or orders[layer].numel() > len(orders[layer]):
                masks[layer, step] = tuple(count if layer == other else 0 for other, count in dropped.items())
    return masks


def _predictions(
    network: Network,
    activations: dict[str, Tensor],
    orders: Orders,
    wanted: Collection[Counts],
    values: Tensor | None = None,
) -> Iterator[tuple[Counts, Tensor]]:
    """Yield the labels that one batch gets under each mask, [batch], or [1] where no input gets through.

    The label is -1 where the logits are not finite numbers.

    Masks that drop the same units of the first layers go through them together; what is before the first dropped unit
    is not computed again.

    Args:
        network: the network.
        activations: those of the layers from here on, in the intact network, [batch, units, …].
        orders: of all layers.
        wanted: the masks, which drop the same units of the layers before.
        values: the activations that arrive here; None for those of the intact network.
    """
    layer, *rest = activations
    depth = len(orders) - len(activations)
    remaining = {name: activations[name] for name in rest}
    poolings, onwards = _split(network.between(layer, rest[0]) if rest else network.after(layer))
    is_of_kernels = orders[layer].numel() == len(orders[layer])
    arriving: Tensor | None = None
    for count, group in groupby(sorted(wanted), itemgetter(depth)):
        if values is None and count == 0:
            yield from _predictions(network, remaining, orders, list(group))
            continue
        if arriving is None:
            arriving = activations[layer] if values is None else values
            # A dropped kernel is pooled to zero, so all masks of kernels share the pooling.
            arriving = poolings(arriving) if is_of_kernels else arriving
        # Of a batch of which nothing gets through, one input stands for all.
        masked = arriving[:1] if count == orders[layer].numel() else arriving
        if count:  # in the layout of the activations, or the product would be laid out anew
            masked = masked * (orders[layer] >= count).to(masked.dtype)
        passed = onwards(masked if is_of_kernels else poolings(masked))
        if rest:
            yield from _predictions(network, remaining, orders, list(group), passed)
        else:
            [counts] = group
            yield counts, _labels(passed)


def _predictions_of_whole(
    network: Network, _activations: object, orders: Orders, wanted: Collection[Counts]
) -> Iterator[tuple[Counts, Tensor]]:
    """Yield the labels that the last walk's batch gets under each mask; see `_predictions`."""
    assert isinstance(network, Hooked)
    for counts in wanted:
        kept = {layer: orders[layer] >= count for layer, count in zip(orders, counts, strict=True)}
        yield counts, _labels(network.acting({layer: partial(torch.mul, mask) for layer, mask in kept.items()}))


def _labels(logits: Tensor) -> Tensor:
    return logits.argmax(1).where(logits.isfinite().all(1), -1)


def _split(stages: nn.Sequential) -> tuple[nn.Sequential, nn.Sequential]:
    """Return the leading stages that only pool, and the others."""
    first = next((place for place, stage in enumerate(stages) if not is_pooling(stage)), len(stages))
    return stages[:first], stages[first:]


def _draw_orders(activations: dict[str, Tensor], samples: int, replicate: int) -> dict[tuple[str, int], Orders]:
    """Draw the orders of each granularity and sample; of single applications only if a layer has positions."""
    granularities = ["kernel"]
    if any(values[0, 0].numel() > 1 for values in activations.values()):
        granularities.append("application")
    return {
        (granularity, sample): {
            layer: _draw_order(layer, values, granularity, sample, replicate) for layer, values in activations.items()
        }
        for granularity in granularities
        for sample in range(samples)
    }


def _draw_order(layer: str, values: Tensor, granularity: str, sample: int, replicate: int) -> Tensor:
    units, positions = values.shape[1], values.shape[2:]
    if granularity == "application" and positions.numel() > 1:
        shape: tuple[int, ...] = (units, *positions)
    else:
        granularity, shape = "kernel", (units, *(1 for _ in positions))
    seed = derive_seed(replicate, "ablation", layer, granularity, sample)
    drawn = torch.randperm(torch.Size(shape).numel(), generator=torch.Generator().manual_seed(seed))
    return drawn.reshape(shape).to(values.device)


def _as_rows(
    drawn: dict[tuple[str, int], Orders],
    hits: dict[tuple[str, int, Counts], Tensor],
    fractions: int,
    samples: int,
    examples: int,
) -> pl.DataFrame:
    shares = dict(zip(hits, torch.stack(list(hits.values())).double().div(examples).tolist(), strict=True))
    rows = []
    for granularity, sample in product(("kernel", "application"), range(samples)):
        orders = drawn.get((granularity, sample))
        own = _masks(orders, fractions, granularity) if orders else {}
        for (layer, step), counts in _masks(drawn["kernel", sample], fractions, "kernel").items():
            # A fully connected layer has one application of each unit: both granularities are the same numbers.
            source = granularity if (layer, step) in own else "kernel"
            *found, undefined = shares[source, sample, own.get((layer, step), counts)]
            if undefined:
                where = f"layer {layer}" if layer else "each layer"
                raise DataError(
                    f"logits must be finite numbers, got NaN or ±inf with {step}/{fractions - 1} of {where} dropped"
                )
            rows.append(("layer" if layer else "network", granularity, layer, sample, step / (fractions - 1), *found))
    columns = ["scope", "granularity", "layer", "sample", "fraction", "unchanged", "accuracy"]
    return pl.DataFrame(rows, schema=columns, orient="row", schema_overrides={"layer": pl.String}).sort(columns[:5])
