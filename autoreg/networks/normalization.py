"""Local response normalisation with a backward pass of its own; half of AlexNet's training step otherwise."""

from typing import Any

import torch
from torch import Tensor, nn


class LocalResponseNorm(nn.Module):
    """x / (1 + alpha·Σx²)^0.75, the sum over the `2·radius + 1` neighbouring channels (Krizhevsky et al. 2012).

    The defaults are the paper's. `alpha` multiplies the sum itself, as in TensorFlow; PyTorch's `nn.LocalResponseNorm`
    divides its own by the window's size.
    """

    def __init__(self, radius: int = 2, alpha: float = 2e-5) -> None:
        super().__init__()
        self.radius = radius
        self.alpha = alpha

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the normalised activations, in the shape of the inputs, [batch, channels, height, width]."""
        is_coarse = inputs.dtype in (torch.bfloat16, torch.float16)  # in which 1 + αΣx² would mostly be 1
        values = inputs.float() if is_coarse else inputs
        result: Tensor = _LocalResponseNorm.apply(values, self.radius, self.alpha)
        return result.to(inputs.dtype)


class _LocalResponseNorm(torch.autograd.Function):
    """With d = 1 + αΣx² and W the window sum: y = x d^-¾, and dL/dx = g d^-¾ − 2α·¾·x·W(g x d^-1¾)."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, radius: int, alpha: float) -> Tensor:
        denominator = _window_sum(inputs * inputs, radius).mul_(alpha).add_(1)
        root = denominator.rsqrt()
        power = root * root.sqrt()  # d^-3/4 by two square roots; `pow` takes several times as long
        ctx.save_for_backward(inputs, denominator, power)
        ctx.radius, ctx.alpha = radius, alpha
        return inputs * power

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        inputs, denominator, power = ctx.saved_tensors
        layout = (
            torch.channels_last if inputs.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format
        )
        # Flattening gives gradients in the other layout, in which all that follows would run slower.
        scaled = gradients[0].contiguous(memory_format=layout) * power
        window = _window_sum(scaled * inputs / denominator, ctx.radius)
        return scaled.sub_(window.mul_(inputs).mul_(1.5 * ctx.alpha)), None, None


def _window_sum(values: Tensor, radius: int) -> Tensor:
    total = values.clone()
    for shift in range(1, min(radius, values.shape[1] - 1) + 1):
        total[:, shift:] += values[:, :-shift]
        total[:, :-shift] += values[:, shift:]
    return total
