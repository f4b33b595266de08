"""A convolution that also reads one constant unit."""

from typing import Any

import torch
from torch import Tensor, nn


class ConstantUnit(nn.Module):
    """A convolution of its inputs and of one unit more, which is 1 everywhere.

    Padding makes the constant 0 outside, as it does the units whose mean it stands for; so what it adds is right at the
    border too, for inputs of any size. It stands at the map that reads it rather than at those that make its inputs,
    since on the way an activation, a pooling or a sum would make it another.

    Args:
        convolution: of the inputs, in one group.
    """

    def __init__(self, convolution: nn.Conv1d | nn.Conv2d | nn.Conv3d) -> None:
        super().__init__()
        self.convolution = convolution
        kind: Any = type(convolution)
        skip_init: Any = nn.utils.skip_init  # no random numbers are drawn
        names = ("kernel_size", "stride", "padding", "dilation", "padding_mode")
        options = {name: getattr(convolution, name) for name in names}
        weight = convolution.weight
        self.constant = skip_init(
            kind, 1, convolution.out_channels, bias=False, device=weight.device, dtype=weight.dtype, **options
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the sum of both, [batch, outputs, …]."""
        outputs: Tensor = self.convolution(inputs) + self.constant(torch.ones_like(inputs[:1, :1]))
        return outputs
