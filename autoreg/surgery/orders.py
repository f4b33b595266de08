"""In which order units are taken out, what the maps that read them lose, and what stands for them then.

Four surgeries, from second moments alone:

- `drop`: a unit is set to 0.
- `merge`: a unit is replaced by a multiple of *one* kept unit that it is correlated with.
- `either`: each unit is dropped or merged, whichever loses less.
- `rebuild`: a unit is replaced by a linear combination of all kept units (OSSCAR, Meng et al. 2024).

Each is greedy: the unit goes next that costs the least now. The error is E‖change of what the maps give‖², as a share
of the variance of what they give, mean over the maps. It is exact for linear maps and 1×1 convolutions; of a larger
kernel, and of positions that were flattened, it leaves out how positions go together.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from autoreg.surgery.merging import merge_costs, merge_order, targets
from autoreg.surgery.order import Order, Surgery, greedy
from autoreg.surgery.reading import Reading
from autoreg.surgery.rebuilding import rebuild_order, rebuilt
from autoreg.surgery.sites import Cut, Mend

#: An offset that is smaller than this part of a unit's spread is none, and asks for no constant unit.
ROUNDING = 1e-6


def order_units(readings: Sequence[Reading], surgery: Surgery, threshold: float = 0.5) -> Order:
    """Return the order in which a surgery takes out a site's units.

    Args:
        readings: of all maps that read the site.
        surgery: see the module.
        threshold: smallest |Pearson r|, at each read point, of units that are merged; in (0, 1].
    """
    if surgery == "drop":
        return _drop_order(readings)
    if surgery == "rebuild":
        return rebuild_order(readings)
    return merge_order(readings, merge_costs(readings, surgery, threshold))


def _drop_order(readings: Sequence[Reading]) -> Order:
    losses = sum((reading.gram * reading.second for reading in readings), torch.zeros(()))
    step = losses.diagonal().clone()

    def take(unit: int) -> float:
        error = float(step[unit])
        step.add_(losses[:, unit], alpha=2)
        return error

    return greedy(lambda: step, take, len(step) - 1)


def cut_units(readings: Sequence[Reading], kept: Tensor, surgery: Surgery, threshold: float = 0.5) -> Cut:
    """Return what a surgery does to a site of which these units are kept.

    Args:
        readings: of all maps that read the site.
        kept: sorted indices of at least one unit, as an order of this surgery gives them.
        surgery: see the module.
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
