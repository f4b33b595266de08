"""The units that may be taken out of a model, where they are read, and what is done to them."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Read:
    """Where the units of a site are read: the input of a linear or convolutional map.

    Attributes:
        module: path of the map in the model.
        places: which of its input channels (or features) are the site's units, in the site's order; where it reads
            what was flattened, the index of each unit's first position.
        positions: how many inputs of the map belong to one unit, side by side: 1, or the positions that were flattened.
        pads: whether the map pads with zeros, so that a constant is not one at the border.
    """

    module: str
    places: tuple[int, ...]
    positions: int
    pads: bool

    def columns(self) -> Tensor:
        """Return the inputs of the map that are values of each unit, [units, positions]."""
        return torch.tensor(self.places)[:, None] + torch.arange(self.positions)


@dataclass(frozen=True)
class Site:
    """Units that the same maps read, in the order of the first map's inputs.

    Attributes:
        name: that of the measured layer that they belong to, or the path of the map that makes the first of them.
        units: how many there are.
        reads: where they are read; a map that reads them twice, as after a concatenation, is named twice.
        whole: why none of them may be taken out, such as the operation that is not known; None if they may.
    """

    name: str
    units: int
    reads: tuple[Read, ...]
    whole: str | None


@dataclass(frozen=True)
class Mend:
    """What stands for the units that are taken out, at one read: removed ≈ matrix · kept + offset.

    Attributes:
        matrix: float64, [removed, kept].
        offset: float64, [removed].
    """

    matrix: Tensor
    offset: Tensor


@dataclass(frozen=True)
class Cut:
    """What is done to a site.

    Attributes:
        kept: the units that stay, int64, sorted, one or more.
        mends: one for each of the site's reads; the units that go are in ascending order.
    """

    kept: Tensor
    mends: tuple[Mend, ...]

    def removed(self, units: int) -> Tensor:
        """Return the units that go, of so many, ascending."""
        is_removed = torch.ones(units, dtype=torch.bool)
        is_removed[self.kept.cpu()] = False
        return is_removed.nonzero().flatten()
