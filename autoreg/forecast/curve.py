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
    """Return a cost at some FLOPs: on straight lines between the known ones, both axes logarithmic.

    Beyond the last, the line of the last two goes on, but neither falls nor rises faster than the FLOPs do; from a
    single one, and below the first, the cost is in proportion.

    Raises:
        ValueError: nothing is known.
    """
    points = sorted(point for point in known if point.cost > 0)
    if not points:
        if known:
            return 0.0
        raise ValueError("no cost is known")
    if flops <= points[0].flops:
        return points[0].cost * flops / points[0].flops
    for low, high in pairwise(points):
        if flops <= high.flops:
            return low.cost * exp(log(flops / low.flops) * _slope(low, high))
    last = points[-1]
    slope = min(1.0, max(0.0, _slope(points[-2], last))) if len(points) > 1 else 1.0
    return last.cost * exp(log(flops / last.flops) * slope)


def _slope(low: Known, high: Known) -> float:
    return log(high.cost / low.cost) / log(high.flops / low.flops) if high.flops > low.flops else 0.0


def middle(values: Sequence[float]) -> float:
    """Return the geometric mean, for ratios."""
    return exp(sum(map(log, values)) / len(values))
