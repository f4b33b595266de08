"""Which units the columns of a value are, and which units are one since they are added or multiplied."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

#: Of a column that is no unit, such as one of the model's inputs.
NO_UNIT = -1


class Columns(NamedTuple):
    """The channels or features of a value.

    Attributes:
        axis: their dimension.
        units: what each is a value of, [columns]; `NO_UNIT` for none.
        position: which of the values of its unit, if positions were flattened; otherwise 0, [columns].
    """

    axis: int
    units: Integers
    position: Integers

    def spans(self) -> tuple[Integers, Integers]:
        """Return (first column, how many columns) of each run of positions."""
        first = np.flatnonzero(self.position == 0)
        return first, np.diff(first, append=len(self.position))


class Units:
    """Units as they are made, tied and found to be of no use for surgery (a union–find structure)."""

    def __init__(self) -> None:
        self._parent: list[int] = []
        self._whole: dict[int, str] = {}

    def make(self, count: int, axis: int) -> Columns:
        """Return columns that are new units."""
        first = len(self._parent)
        made = np.arange(first, first + count)
        self._parent += made.tolist()
        return Columns(axis, made, np.zeros(count, np.int64))

    @staticmethod
    def none(count: int, axis: int) -> Columns:
        """Return columns that are no units."""
        return Columns(axis, np.full(count, NO_UNIT), np.zeros(count, np.int64))

    def tie(self, one: Columns, other: Columns) -> None:
        """Make the units of the same columns one; what is tied to no unit stays whole."""
        for a, b in zip(one.units.tolist(), other.units.tolist(), strict=True):
            if a != NO_UNIT and b != NO_UNIT:
                low, high = sorted((self._root(a), self._root(b)))
                self._parent[high] = low
            elif a != b:
                self._whole.setdefault(max(a, b), "is added to what is no unit")

    def leave_whole(self, columns: Columns, reason: str) -> None:
        """Say why none of these units may be taken out; the first reason stays."""
        for unit in np.unique(columns.units[columns.units != NO_UNIT]).tolist():
            self._whole.setdefault(unit, reason)

    def roots(self) -> Integers:
        """Return the first unit of all that are one with it, [units]."""
        return np.array([self._root(unit) for unit in range(len(self._parent))], np.int64)

    def whole(self) -> dict[int, str]:
        """Return the reason of each root that must stay whole."""
        reasons: dict[int, str] = {}
        for unit, reason in self._whole.items():
            reasons.setdefault(self._root(unit), reason)
        return reasons

    def _root(self, unit: int) -> int:
        while self._parent[unit] != unit:
            self._parent[unit] = self._parent[self._parent[unit]]
            unit = self._parent[unit]
        return unit
