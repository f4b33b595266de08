"""Pooling, ReLU and normalization as one module, for training on a CPU."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from autoreg.networks.compiled import Kernel
from autoreg.networks.normalization import LocalResponseNorm
from autoreg.networks.pool_first import is_plain

#: What the kernel's max-pooling is built with.
POOLING = {"kernel_size": 3, "stride": 2, "padding": 0, "dilation": 1, "ceil_mode": True, "return_indices": False}


class PoolReluNorm(nn.Module):
    """Three modules that one kernel computes: equal in float32 to 3·10⁻⁷, in bfloat16 to its rounding.

    Inputs that the kernel does not take, of another type or without two dimensions of positions, pass the modules.
    """

    def __init__(self, modules: Sequence[nn.Module], kernel: Kernel) -> None:
        super().__init__()
        self.modules_in_turn = nn.Sequential(*modules)
        self.alpha: float = modules[-1].alpha  # type: ignore[assignment]
        self.kernel = kernel

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the normalized activations, [batch, channels, height // 2, width // 2]."""
        takes = inputs.ndim == 4 and inputs.dtype in Kernel.types and min(inputs.shape[2:]) >= 2
        if not takes:
            return self.modules_in_turn(inputs)  # type: ignore[no-any-return]
        outputs: Tensor = _PoolReluNorm.apply(inputs, self.alpha, self.kernel)
        return outputs


class _PoolReluNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, alpha: float, kernel: Kernel) -> Tensor:
        outputs, pooled, which = kernel.forward(inputs.contiguous(memory_format=torch.channels_last), alpha)
        ctx.save_for_backward(pooled, which)
        ctx.shape, ctx.alpha, ctx.kernel = inputs.shape, alpha, kernel
        return outputs

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        pooled, which = ctx.saved_tensors
        incoming = gradients[0].contiguous(memory_format=torch.channels_last)
        return ctx.kernel.backward(incoming, pooled, which, ctx.shape, ctx.alpha), None, None


def fused(modules: Sequence[nn.Module], kernel: Kernel) -> list[nn.Module]:
    """Return modules in which each three that the kernel computes, in the order of `pool_first`, are one."""
    made: list[nn.Module] = []
    for module in modules:
        made.append(module)
        if are_fusible(made[-3:]):
            made[-3:] = [PoolReluNorm(made[-3:], kernel)]
    return made


def are_fusible(modules: Sequence[nn.Module]) -> bool:
    """Whether modules are a max-pooling 3/2 (ceil), a ReLU and a normalization over five channels, without hooks."""
    kinds = (nn.MaxPool2d, nn.ReLU, LocalResponseNorm)
    if len(modules) != 3 or not all(map(is_plain, modules, kinds)):
        return False
    pool, norm = vars(modules[0]), vars(modules[2])
    return norm["radius"] == 2 and all(pool[option] == value for option, value in POOLING.items())
