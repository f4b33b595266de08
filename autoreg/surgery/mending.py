"""Mends: what stands for the units that are taken out, at each map that reads them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from autoreg.surgery.merging import merge_costs, targets
from autoreg.surgery.order import Surgery
from autoreg.surgery.reading import Reading
from autoreg.surgery.rebuilding import rebuilt
from autoreg.surgery.sites import Cut, Mend

#: An offset that is smaller than this part of a unit's spread is none, and asks for no constant unit.
ROUNDING = 1e-6


def cut_units(readings: Sequence[Reading], kept: Tensor, surgery: Surgery, threshold: float = 0.5) -> Cut:
    """Return what a surgery does to a site of which these units are kept.

    Args:
        readings: of all maps that read the site.
        kept: sorted indices of at least one unit, as an order of this surgery gives them.
        surgery: see `autoreg.surgery.orders`.
        threshold: see `order_units`.
    """
    units = len(readings[0].mean)
    is_taken = torch.ones(units, dtype=torch.bool)
    is_taken[kept] = False
    taken = is_taken.nonzero().flatten()
    if surgery == "drop":
        nothing = Mend(torch.zeros(len(taken), len(kept)).double(), torch.zeros(len(taken)).double())
        return Cut(kept, (nothing,) * len(readings))
    if surgery == "rebuild":
        return Cut(kept, tuple(_mend(reading, taken, *rebuilt(reading, taken, kept)) for reading in readings))
    into = targets(merge_costs(readings, surgery, threshold), kept)[taken]
    return Cut(kept, tuple(_merged(reading, taken, kept, into) for reading in readings))


def _merged(reading: Reading, taken: Tensor, kept: Tensor, into: Tensor) -> Mend:
    factors, offset = reading.merged(taken, into)
    matrix = torch.zeros(len(taken), len(reading.mean) + 1, dtype=torch.float64)
    matrix[torch.arange(len(taken)), into] = factors
    return _mend(reading, taken, matrix[:, kept], offset)


def _mend(reading: Reading, taken: Tensor, matrix: Tensor, offset: Tensor) -> Mend:
    """Return a mend without what would change nothing."""
    is_silent = reading.gram.diagonal()[taken] <= 0
    is_rounding = offset.abs() <= ROUNDING * reading.spread[taken]
    return Mend(matrix.masked_fill(is_silent[:, None], 0.0), offset.masked_fill(is_silent | is_rounding, 0.0))
