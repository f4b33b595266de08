"""Repeated units: how many other units of its layer a unit is correlated with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import polars as pl
import torch
from pydantic import Field
from torch import Tensor

from autoreg.datasets import Dataset
from autoreg.errors import DataError
from autoreg.metrics.metric import metric
from autoreg.moments import Moments, vectors_of
from autoreg.networks import Network
from autoreg.seeds import derive_seed

#: |r| is counted in bins of this many to 1.
BINS = 100
#: Correlations are computed this many units at a time, so that memory does not grow with units².
BLOCK = 256
#: Sums are taken over this many vectors at a time.
ROWS = 256
#: Activity is counted in this many inputs at a time.
INPUTS = 4


@metric(version=1)
@torch.inference_mode()
def similarity(
    network: Network,
    dataset: Dataset,
    split: str,
    replicate: int,
    *,
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5,
    samples: Annotated[int, Field(ge=1)] = 3,
    max_vectors: Annotated[int | None, Field(ge=2)] = 50_000,
) -> pl.DataFrame:
    """Return one row for each measured layer and sample: similar units, dead units, and how |r| is spread.

    Two units are similar if |Pearson r| of their activations is at least the threshold (paper, section 3). A unit whose
    activation is constant is dead: it has no correlation, and its number of similar units is null. (The released code
    counts −1 similar units for it.)

    Args:
        network: in evaluation mode.
        dataset: on the network's device.
        split: `train`, `validation` or `test`.
        replicate: seeds the choice of activation vectors.
        threshold: in (0, 1).
        samples: how many random choices of activation vectors; at least 1.
        max_vectors: an activation vector is a layer's units at one position of one input; up to this many are drawn,
            spread evenly over the inputs. None takes all of them, in one pass that keeps none; `samples` has no
            meaning then.

    Returns:
        Columns layer, sample, vectors; lists of one value a unit: similar (null for dead units), strongest (largest |r|
        with another unit, null for dead units), dead; and pairs, a list of how many pairs of live units have |r| in
        each of 100 equal bins from 0 to 1. With all vectors also, one value a unit: active_share, the share of the
        vectors in which its activation is not 0, in [0, 1]; and active_inputs, the number of inputs at which it is not
        0 at one position or more.

    Raises:
        DataError: a layer has fewer than 2 activation vectors.
    """
    if max_vectors is None:
        return _of_all_vectors(network, dataset, split, threshold)
    total = len(dataset.split(split))
    generators = [
        torch.Generator().manual_seed(derive_seed(replicate, "similarity", sample)) for sample in range(samples)
    ]
    drawn: dict[tuple[str, int], list[Tensor]] = {}
    seen = 0
    for inputs, _ in dataset.batches(split):
        span = (seen, seen := seen + len(inputs), total)
        for layer, values in network.walk(inputs):
            vectors = vectors_of(values)
            for sample, generator in enumerate(generators):
                drawn.setdefault((layer, sample), []).append(_draw(vectors, span, max_vectors, generator))
    rows = []
    for (layer, sample), parts in drawn.items():
        vectors = torch.cat(parts)
        parts.clear()
        _require_two(layer, len(vectors))
        found = correlate(vectors, threshold)
        rows.append((layer, sample, len(vectors), *found.as_lists()))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _of_all_vectors(network: Network, dataset: Dataset, split: str, threshold: float) -> pl.DataFrame:
    moments: dict[str, Moments] = {}
    active: dict[str, Tensor] = {}
    for inputs, _ in dataset.batches(split):
        for layer, values in network.walk(inputs):
            vectors = vectors_of(values)
            if layer not in moments:
                moments[layer] = Moments(vectors)
                active[layer] = torch.zeros(2, vectors.shape[1], dtype=torch.int64, device=vectors.device)
            moments[layer].add(vectors)
            for part in torch.split(values, INPUTS):
                positions = _by_position(part.sign().abs_()).sum(2, dtype=torch.float32)  # at which a unit is not 0
                active[layer] += torch.stack([positions.sum(0), positions.count_nonzero(0)]).long()
    rows = []
    for layer, found in moments.items():
        _require_two(layer, found.count)
        active_vectors, inputs_of = active[layer].tolist()
        shares = [count / found.count for count in active_vectors]
        rows.append((layer, 0, found.count, *correlations_of(found, threshold).as_lists(), shares, inputs_of))
    return pl.DataFrame(rows, schema=_OF_ALL, orient="row")


def _require_two(layer: str, vectors: int) -> None:
    if vectors < 2:
        raise DataError(f"layer {layer}: a correlation takes at least 2 activation vectors, got {vectors}")


def _by_position(values: Tensor) -> Tensor:
    return values.reshape(*values.shape[:2], -1)  # [batch, units, positions]


_SCHEMA: dict[str, Any] = {
    "layer": pl.String,
    "sample": pl.Int32,
    "vectors": pl.Int32,
    "similar": pl.List(pl.Int32),
    "strongest": pl.List(pl.Float32),
    "dead": pl.List(pl.Boolean),
    "pairs": pl.List(pl.Int64),
}
_OF_ALL: dict[str, Any] = {
    **_SCHEMA,
    "vectors": pl.Int64,
    "active_share": pl.List(pl.Float64),
    "active_inputs": pl.List(pl.Int64),
}


def _draw(vectors: Tensor, span: tuple[int, int, int], limit: int, generator: torch.Generator) -> Tensor:
    """Return this batch's even share of `limit` vectors; span is (inputs before, inputs after, all inputs)."""
    before, after, total = span
    share = limit * after // total - limit * before // total
    if share >= len(vectors):
        return vectors.clone()
    chosen = torch.randperm(len(vectors), generator=generator)[:share]
    return vectors[chosen.to(vectors.device)]


@dataclass(frozen=True)
class Correlations:
    """Pairwise correlations of a layer's units, summed up.

    Attributes:
        similar: [units], how many other units each is similar to; 0 for dead ones.
        strongest: [units], the largest |r| with another unit.
        dead: [units], whether the activation is constant.
        pairs: [100], how many pairs of live units have |r| in each bin.
    """

    similar: Tensor
    strongest: Tensor
    dead: Tensor
    pairs: Tensor

    def as_lists(self) -> tuple[list[int | None], list[float | None], list[bool], list[int]]:
        """Return plain lists, with null for the correlations of dead units."""
        dead = self.dead.tolist()
        similar = [None if gone else count for count, gone in zip(self.similar.tolist(), dead, strict=True)]
        strongest = [None if gone else value for value, gone in zip(self.strongest.tolist(), dead, strict=True)]
        return similar, strongest, dead, self.pairs.tolist()


@torch.inference_mode()
def correlate(vectors: Tensor, threshold: float) -> Correlations:
    """Return the correlations of units over vectors, [vectors, units], float32, which are overwritten.

    The vectors are centred and scaled first: accumulated in one pass, the correlations of units with an offset would
    lose all digits. It is done in place, so that memory beside the vectors is that of a block.
    """
    alive = _standardize(vectors)
    return _sum_up(alive, lambda block, rest: vectors[:, block].T @ vectors[:, rest], threshold)


def correlations_of(moments: Moments, threshold: float) -> Correlations:
    """Return the correlations of units over all vectors that moments were taken of."""
    squares = moments.scatter.diagonal()
    alive = (moments.high - moments.low >= torch.finfo(moments.low.dtype).tiny) & (squares > 0)
    scale = torch.where(alive, squares.rsqrt(), 0.0)

    def correlate_blocks(block: slice, rest: slice) -> Tensor:
        return moments.scatter[block, rest] * scale[rest] * scale[block, None]

    return _sum_up(alive, correlate_blocks, threshold)


def _sum_up(alive: Tensor, correlation: Callable[[slice, slice], Tensor], threshold: float) -> Correlations:
    """Sum up the correlations of a block of units with itself and with all after it, so that each pair comes once.

    Args:
        alive: which units have a correlation, [units].
        correlation: the two ranges of units → their correlations, a tensor that is overwritten.
        threshold: as `similarity` has it.
    """
    units = len(alive)
    similar = torch.zeros(units, dtype=torch.int64, device=alive.device)
    strongest = torch.zeros(units, dtype=torch.float64, device=alive.device)
    pairs = torch.zeros(BINS, dtype=torch.int64, device=alive.device)
    for first in range(0, units, BLOCK):
        block, rest = slice(first, first + BLOCK), slice(first, None)
        strength = correlation(block, rest).abs_()
        counted = (alive[block, None] & alive[None, rest]).triu_(1)  # each pair once, and no unit with itself
        strength.masked_fill_(~counted, -1.0)
        hits = strength >= threshold
        similar[block] += hits.sum(1)
        similar[rest] += hits.sum(0)
        strongest[block] = torch.maximum(strongest[block], strength.amax(1))
        strongest[rest] = torch.maximum(strongest[rest], strength.amax(0))
        pairs += (strength[counted] * BINS).long().clamp_(max=BINS - 1).bincount(minlength=BINS)
    return Correlations(similar, strongest, ~alive, pairs)


def _standardize(vectors: Tensor) -> Tensor:
    """Give each unit, in place, mean 0 and norm 1, or zeros if it is constant; return which are not, [units].

    It is done some vectors at a time, while they are in the cache, and sums are added up in float64.
    """
    parts = torch.split(vectors, ROWS)
    highest = torch.stack([part.amax(0) for part in parts]).amax(0)
    spread = highest - torch.stack([part.amin(0) for part in parts]).amin(0)
    alive = spread >= torch.finfo(vectors.dtype).tiny
    mean = torch.stack([part.sum(0) for part in parts]).sum(0, dtype=torch.float64) / len(vectors)
    shift, scale = mean.to(vectors.dtype), torch.where(alive, 1.0 / spread, 0.0)  # or faint units' squares would vanish
    squares = torch.zeros_like(mean)
    for part in parts:  # a list of all sums would pin each part's squares in the allocator: as much as the vectors
        squares += part.sub_(shift).mul_(scale).square().sum(0)
    vectors *= torch.where(alive, squares.rsqrt(), 0.0).to(vectors.dtype)
    return alive
