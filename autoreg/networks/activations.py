"""Activation functions of PyTorch's, which work on each unit alone, in all the forms in which a model may call them."""

import operator
from typing import Any

import torch
from torch import nn
from torch.nn import functional

#: What would change a measured activation after it was handed out, and what does the same elsewhere.
IN_PLACE: dict[Any, Any] = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
}

#: What ends a layer (paper, section 3): modules of torch.nn.modules.activation that work on each unit alone.
ACTIVATION_MODULES = (
    nn.ReLU, nn.ReLU6, nn.RReLU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish,
    nn.Hardswish, nn.Hardtanh, nn.Hardsigmoid, nn.Sigmoid, nn.Tanh, nn.Softplus, nn.Softsign, nn.Threshold,
    nn.Softshrink, nn.Hardshrink, nn.Tanhshrink, nn.LogSigmoid,
)  # fmt: skip
_NAMES = (
    "relu", "relu6", "rrelu", "leaky_relu", "prelu", "elu", "celu", "selu", "gelu", "silu", "mish", "hardswish",
    "hardtanh", "hardsigmoid", "sigmoid", "tanh", "softplus", "softsign", "threshold", "softshrink", "hardshrink",
    "tanhshrink", "logsigmoid", "clamp", "clamp_min", "clamp_max", "maximum",
)  # fmt: skip
_HOMES = [(home, name) for home in (torch, functional) for name in _NAMES if hasattr(home, name)]
IN_PLACE |= {getattr(home, f"{name}_"): getattr(home, name) for home, name in _HOMES if hasattr(home, f"{name}_")}
ACTIVATION_FUNCTIONS = frozenset(
    getattr(home, f"{name}{end}") for home, name in _HOMES for end in ("", "_") if hasattr(home, f"{name}{end}")
)
ACTIVATION_METHODS = frozenset(f"{name}{end}" for name in _NAMES for end in ("", "_"))
