"""Merging: which kept unit each unit that is taken out goes into, and in which order they go."""

from collections.abc import Sequence

import torch
from torch import Tensor

from autoreg.surgery.order import DECIMALS, Order, Surgery
from autoreg.surgery.reading import Reading


def merge_costs(readings: Sequence[Reading], surgery: Surgery, threshold: float) -> Tensor:
    """Return what it costs to merge each unit into each other one, or, in the last column, into none.

    Args:
        readings: of all maps that read the site.
        surgery: `merge`; or `either`, with which any unit may go into none, which drops it.
        threshold: smallest |Pearson r| of two units at each read point, in (0, 1].

    Returns:
        [units, units + 1]; ∞ where units are not correlated enough. A constant unit goes into none and costs nothing.
    """
    units = len(readings[0].mean)
    costs = torch.zeros(units, units + 1, dtype=torch.float64)
    is_dead = torch.ones(units, dtype=torch.bool)
    for reading in readings:
        squares, weights = reading.covariance.diagonal(), reading.gram.diagonal()
        explained = torch.where(squares > 0, reading.covariance.square() / squares, 0.0)
        merged = (squares[:, None] - explained).clamp_min(0) * weights[:, None]
        is_alike = (reading.correlation >= threshold) | reading.is_constant[:, None]
        costs[:, :units] += torch.where(is_alike, merged, torch.inf)
        costs[:, units] += reading.second.diagonal() * weights
        is_dead &= reading.is_constant
    if surgery == "merge":
        costs[:, units] = torch.inf
    costs[is_dead, units] = 0.0
    costs[is_dead, :units] = torch.inf
    costs[:, :units].fill_diagonal_(torch.inf)
    return costs.round(decimals=DECIMALS)


def targets(costs: Tensor, kept: Tensor) -> Tensor:
    """Return into which kept unit each unit goes, [units]; so many as there are units for none.

    Args:
        costs: as `merge_costs` gives them.
        kept: indices of the kept units.
    """
    allowed = torch.cat([kept, torch.tensor([len(costs)])])
    return allowed[costs[:, allowed].argmin(1)]


def merge_order(readings: Sequence[Reading], costs: Tensor) -> Order:
    """Return the order of `merge` or `either`: each time the unit goes whose leaving costs the least.

    That is its own cost, and for each unit that leans on it, having gone into it, what the second best costs more. It
    is backward elimination in a facility location problem. Errors are exact sums over what has been done.

    Args:
        readings: of all maps that read the site.
        costs: as `merge_costs` gives them; overwritten.
    """
    units = len(costs)
    losses = [_Losses(reading) for reading in readings]
    taken = torch.zeros(units, dtype=torch.bool)
    best, into = costs.topk(2, dim=1, largest=False)
    order, errors = [], []
    for _ in range(units - 1):
        leaning = torch.where(taken, best[:, 1] - best[:, 0], 0.0)
        steps = best[:, 0] + torch.zeros(units + 1).double().index_add_(0, into[:, 0], leaning)[:units]
        steps = steps.round(decimals=DECIMALS).masked_fill_(taken, torch.inf)
        unit = int(steps.argmin())
        if not steps[unit].isfinite():  # none of those that are left is like another
            break
        moved = taken & (into[:, 0] == unit)
        taken[unit] = moved[unit] = True
        costs[:, unit] = torch.inf
        stale = (into == unit).any(1)
        best[stale], into[stale] = costs[stale].topk(2, dim=1, largest=False)
        order.append(unit)
        errors.append(sum(loss.lean(moved, into[moved, 0]) for loss in losses))
    return Order.of(order, errors)


class _Losses:
    """What one map has lost: E e eᵀ by e = x − γ · x_into − c of each unit that was taken out, and the map's gram."""

    def __init__(self, reading: Reading) -> None:
        units = len(reading.mean)
        self.reading, self.error = reading, 0.0
        self.lost = torch.zeros(units, units, dtype=torch.float64)
        self.factor, self.left = torch.zeros(2, units, dtype=torch.float64)
        self.into, self.taken = torch.zeros(units, dtype=torch.int64), torch.zeros(units, dtype=torch.bool)

    def lean(self, moved: Tensor, into: Tensor) -> float:
        """Have some units go into others, or into none, which is the number of units; return the error of all so far.

        Args:
            moved: which do, [units].
            into: where each of them goes.
        """
        reading, units = self.reading, moved.nonzero().flatten()
        self.error -= self._share(units)
        self.taken[units], self.into[units] = True, into.masked_fill(into == len(moved), 0)
        self.factor[units], offset = reading.merged(units, into)
        # what is left of the mean, which the covariance does not see
        self.left[units] = reading.mean[units] - self.factor[units] * reading.mean[self.into[units]] - offset
        rows = reading.covariance[units] - self.factor[units, None] * reading.covariance[self.into[units]]
        rows = rows - rows[:, self.into] * self.factor
        self.lost[units] = (rows + torch.outer(self.left[units], self.left)) * self.taken
        self.lost[:, units] = self.lost[units].T
        self.error += self._share(units)
        return self.error

    def _share(self, units: Tensor) -> float:
        """Return the part of the error that these units, and pairs with them, have in it."""
        rows = self.lost[units] * self.reading.gram[units]
        return float(2 * rows.sum() - rows[:, units].sum())
