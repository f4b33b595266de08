"""Rebuilding: each unit that is taken out becomes a linear combination of all kept units."""

from collections.abc import Sequence

import torch
from torch import Tensor

from autoreg.surgery.order import Order, greedy
from autoreg.surgery.reading import RIDGE, Reading

#: The ridge takes a little away from least squares; each time over leaves only a share of that as small as the ridge.
REFINEMENTS = 3
#: After this part of the units that are left, the inverse and the weights are worked out anew.
PARTS = 4


def rebuild_order(readings: Sequence[Reading]) -> Order:
    """Return the order of `rebuild`: each time the unit goes whose best replacement costs the least.

    Units that are combinations of others go first. Of the others, the inverse of their moments says what each costs,
    and is updated along with the weights (Hassibi and Stork 1993, "Second order derivatives for network pruning").
    Both are worked out anew again and again, since updates lose digits where units are much alike.

    Args:
        readings: of all maps that read the site.
    """
    is_combined = torch.stack([_combinations(reading) for reading in readings]).all(0)
    is_combined[-1] &= not is_combined.all()  # at least one unit is left
    taken, left = is_combined.nonzero().flatten(), (~is_combined).nonzero().flatten()
    errors = torch.empty(0, dtype=torch.float64)
    while True:
        fits = [rebuilt(reading, taken, left) for reading in readings]
        lost = sum(_lost(reading, taken, left, *fit) for reading, fit in zip(readings, fits, strict=True))
        errors = torch.cat([errors, torch.full((len(taken) - len(errors),), lost, dtype=torch.float64)])
        if len(left) == 1:
            return Order(taken, errors)
        grams = [_gram(reading, taken, left, matrix) for reading, (matrix, _) in zip(readings, fits, strict=True)]
        inverses = [torch.linalg.inv(reading.likeness[left][:, left]) for reading in readings]
        steps = _take_some(grams, inverses, max(1, len(left) // PARTS))
        taken, errors = torch.cat([taken, left[steps.units]]), torch.cat([errors, lost + steps.errors])
        left = left[steps.kept(len(steps.units), len(left))]


def _take_some(grams: list[Tensor], inverses: list[Tensor], count: int) -> Order:
    """Return the next so many units, by their places among those that are left, and what they add to the error.

    Args:
        grams: of the weights of units that are scaled to a spread of 1, at each read point, [left, left]; overwritten.
        inverses: of the moments of these units; overwritten.
        count: how many.
    """

    def steps() -> Tensor:
        parts = zip(grams, inverses, strict=True)
        return torch.stack([gram.diagonal().clamp_min(0) / inverse.diagonal() for gram, inverse in parts]).sum(0)

    def take(unit: int) -> float:
        error = float(steps()[unit])
        for gram, inverse in zip(grams, inverses, strict=True):
            row, weights = inverse[unit].clone(), gram[unit].clone()
            share = row / row[unit]
            inverse.addr_(share, row, alpha=-1)
            inverse[unit, unit] = 1.0  # it is gone; nothing else is left in its row and column
            moved = weights - share * weights[unit] / 2
            gram.addmm_(torch.stack([moved, share], 1), torch.stack([share, moved]), alpha=-1)
        return error

    return greedy(steps, take, count)


def rebuilt(reading: Reading, taken: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
    """Return the matrix and the offset of the least squares of units that are taken out on those that are kept."""
    known, wanted = reading.likeness[kept][:, kept], reading.likeness[taken][:, kept]
    factor, matrix = torch.linalg.cholesky(known), torch.zeros_like(wanted)
    known = known - RIDGE * torch.eye(len(kept))
    for _ in range(REFINEMENTS):
        matrix += torch.cholesky_solve((wanted - matrix @ known).T, factor).T
    scale = torch.where(reading.spread > 0, reading.spread.reciprocal(), 0.0)
    matrix *= torch.outer(reading.spread[taken], scale[kept])
    offset = reading.mean[taken] - matrix @ reading.mean[kept]
    return matrix, offset


def _combinations(reading: Reading) -> Tensor:
    """Return which units are constant or linear combinations of later ones that are none, up to the ridge, [units]."""
    left = reading.likeness.clone()
    is_combined = reading.is_constant.clone()
    for unit in reversed(range(len(left))):
        is_combined[unit] |= left[unit, unit] < 3 * RIDGE
        if not is_combined[unit]:
            left.addr_(left[:, unit] / left[unit, unit], left[unit].clone(), alpha=-1)
    return is_combined


def _gram(reading: Reading, taken: Tensor, left: Tensor, matrix: Tensor) -> Tensor:
    """Return the gram of the weights that the units that are left have then, scaled to a spread of 1."""
    onto = torch.eye(len(reading.mean), dtype=torch.float64)[left]
    onto[:, taken] = matrix.T
    return onto @ reading.gram @ onto.T * torch.outer(reading.spread[left], reading.spread[left])


def _lost(reading: Reading, taken: Tensor, left: Tensor, matrix: Tensor, offset: Tensor) -> float:
    """Return the error of a replacement."""
    onto = torch.eye(len(reading.mean), dtype=torch.float64)[taken]
    onto[:, left] = -matrix
    mean = onto @ reading.mean - offset
    lost = onto @ reading.covariance @ onto.T + torch.outer(mean, mean)
    return float((lost * reading.gram[taken][:, taken]).sum())
