"""Moments of a layer's units over any number of activation vectors, of which none is kept."""

import torch
from torch import Tensor

#: Vectors are added this many at a time, so that they stay in the cache.
ROWS = 1024


def vectors_of(values: Tensor) -> Tensor:
    """Return activations, [batch, units, …], as one vector for each input and position, [vectors, units]."""
    return values.movedim(1, -1).reshape(-1, values.shape[1])


class Moments:
    """Count, mean and scatter of the activation vectors that were added so far, of one layer or read point.

    Each block of vectors is centred at its own mean and scaled by each unit's spread in it, so that its products lose
    nothing to a large mean or to a faint unit. It is then merged in float64 by the update of Chan, Golub and LeVeque
    (1979, "Updating formulae and a pairwise algorithm for computing sample variances", Stanford STAN-CS-79-773). Sums
    are count · mean, and the Gram matrix Σ x xᵀ is scatter + count · mean meanᵀ.

    Args:
        like: vectors as they will be added, [any number, units].

    Attributes:
        count: how many vectors there were.
        mean: float64, [units].
        scatter: Σ (x − mean) (x − mean)ᵀ, float64, [units, units].
        low, high: [units], the smallest and the largest activation; a unit is constant if they are the same.
    """

    def __init__(self, like: Tensor) -> None:
        units = like.shape[1]
        self.count = 0
        self.mean = like.new_zeros(units, dtype=torch.float64)
        self.scatter = like.new_zeros(units, units, dtype=torch.float64)
        self.low, self.high = like.new_full((units,), torch.inf), like.new_full((units,), -torch.inf)

    def add(self, vectors: Tensor) -> None:
        """Add activation vectors, [vectors, units], of any floating-point type."""
        for block in torch.split(vectors, ROWS):
            self._add(block)

    def _add(self, block: Tensor) -> None:
        low, high = block.amin(0), block.amax(0)
        self.low, self.high = torch.minimum(self.low, low), torch.maximum(self.high, high)
        spread = high - low
        scale = torch.where(spread >= torch.finfo(block.dtype).tiny, spread.reciprocal(), 0.0)
        shift = block.mean(0).clamp(low, high)  # which rounding may leave
        centred = (block - shift).mul_(scale)
        rest = centred.sum(0).double()  # what rounding has left of the mean
        spread = spread.double()
        products = (centred.T @ centred).double() - torch.outer(rest, rest) / len(block)
        step = shift.double() + rest * spread / len(block) - self.mean
        total = self.count + len(block)
        self.scatter += products.mul_(spread).mul_(spread[:, None])
        self.scatter.addr_(step, step, alpha=self.count * len(block) / total)
        self.mean += step * (len(block) / total)
        self.count = total
