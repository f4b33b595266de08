"""Costs of a network at widths that were not timed, by its FLOPs at those that were."""

from collections.abc import Sequence
from itertools import pairwise
from math import exp, log
from typing import NamedTuple


class Known(NamedTuple):
    """A cost at so many FLOPs."""

    flops: float
    cost: float


def cost_at(flops: float, known: Sequence[Known]) -> float:
    """Return a cost at some FLOPs: on straight lines between the known ones.

    A step costs something whatever the width, and the rest is FLOPs. Below the first and beyond the last the cost is in
    proportion.

    Raises:
        ValueError: nothing is known.
    """
    if not known:
        raise ValueError("no cost is known")
    points = sorted(known)
    for low, high in pairwise(points):
        if low.flops <= flops <= high.flops:
            share = (flops - low.flops) / (high.flops - low.flops) if high.flops > low.flops else 0.0
            return low.cost + share * (high.cost - low.cost)
    nearest = points[0] if flops < points[0].flops else points[-1]
    return nearest.cost * flops / nearest.flops


def middle(values: Sequence[float]) -> float:
    """Return the geometric mean, for ratios."""
    return exp(sum(map(log, values)) / len(values))
