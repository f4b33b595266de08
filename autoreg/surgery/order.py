"""An order in which a site's units are taken out, and how much is lost after each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Self, get_args

import torch
from torch import Tensor

#: What may be done about a unit that is taken out; `autoreg.surgery.orders` says what each means.
Surgery = Literal["drop", "merge", "either", "rebuild"]
SURGERIES: tuple[Surgery, ...] = get_args(Surgery)
#: Costs, which are shares of variance, are compared to this many decimals, so that rounding decides no order.
DECIMALS = 12


@dataclass(frozen=True)
class Order:
    """The order in which a site's units are taken out; at least one is always left.

    Attributes:
        units: int64, [taken]. There are fewer than the site has but one if no other may be taken out.
        errors: with this unit and all before it taken out, float64, [taken]; need not grow at each step.
    """

    units: Tensor
    errors: Tensor

    @classmethod
    def of(cls, units: Sequence[int], errors: Sequence[float]) -> Self:
        """Return an order from plain lists."""
        return cls(torch.tensor(units, dtype=torch.int64), torch.tensor(errors, dtype=torch.float64))

    def count(self, error: float) -> int:
        """Return how many units the longest beginning has whose error is at most this."""
        within = (self.errors <= error).nonzero()
        return int(within[-1]) + 1 if len(within) else 0

    def kept(self, count: int, units: int) -> Tensor:
        """Return which of so many units are kept when the first `count` of the order are taken out, sorted."""
        is_kept = torch.ones(units, dtype=torch.bool)
        is_kept[self.units[:count]] = False
        return is_kept.nonzero().flatten()


def greedy(steps: Callable[[], Tensor], take: Callable[[int], float], count: int) -> Order:
    """Return the order in which the unit of the smallest step goes next.

    Args:
        steps: what the error grows by with each unit, [units].
        take: takes a unit out and returns what the error has grown by.
        count: how many go.
    """
    units, errors, total = [], [], 0.0
    taken = torch.zeros(len(steps()), dtype=torch.bool)
    for _ in range(count):
        unit = int(steps().round(decimals=DECIMALS).masked_fill(taken, torch.inf).argmin())
        total += take(unit)
        taken[unit] = True
        units.append(unit)
        errors.append(total)
    return Order.of(units, errors)
