"""Local response normalisation of units whose neighbours were taken out."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from autoreg.networks.normalization import LocalResponseNorm


class PlacedLRN(nn.Module):
    """x / (k + alpha·Σx²)^beta, the sum over the units that are left of those that were neighbours before.

    Args:
        original: the normalisation of all units.
        places: which of them are left, ascending.
    """

    window: Tensor

    def __init__(self, original: LocalResponseNorm | nn.LocalResponseNorm, places: Sequence[int]) -> None:
        super().__init__()
        if isinstance(original, LocalResponseNorm):
            before = after = original.radius
            self.alpha, self.beta, self.k = original.alpha, 0.75, 1.0
        else:
            before, after = original.size // 2, (original.size - 1) // 2
            self.alpha, self.beta, self.k = original.alpha / original.size, original.beta, float(original.k)
        place = torch.as_tensor(places)
        distance = place - place[:, None]  # from the unit of a row to that of a column
        window = (distance >= -before) & (distance <= after)
        self.register_buffer("window", window.to(torch.get_default_dtype()), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the normalised activations, in the shape of the inputs, [batch, units, …]."""
        squares = inputs.square().movedim(1, -1)
        denominator = functional.linear(squares, self.window).movedim(-1, 1) * self.alpha + self.k
        if self.beta == 0.75:  # by two square roots; `pow` takes several times as long
            root = denominator.rsqrt()
            return inputs * (root * root.sqrt())
        return inputs * denominator.pow(-self.beta)
