"""In which order units are taken out, and what the maps that read them lose: four surgeries, from second moments alone.

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

from autoreg.surgery.merging import merge_costs, merge_order
from autoreg.surgery.order import Order, Surgery, greedy
from autoreg.surgery.reading import Reading
from autoreg.surgery.rebuilding import rebuild_order


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
