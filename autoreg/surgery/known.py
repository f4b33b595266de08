"""The modules, functions and methods of PyTorch's of which it is known what they do to units."""

import operator
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from autoreg.networks.activations import ACTIVATION_FUNCTIONS, ACTIVATION_METHODS, ACTIVATION_MODULES
from autoreg.networks.normalization import LocalResponseNorm

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
MAPS = (nn.Linear, *CONVOLUTIONS)
LOCAL_RESPONSE_NORMS = (LocalResponseNorm, nn.LocalResponseNorm)
#: Modules of which each unit has something of its own: parameters, or a place among its neighbours.
UNIT_MODULES = (_BatchNorm, nn.PReLU, *LOCAL_RESPONSE_NORMS)
PASSING_MODULES = (
    *ACTIVATION_MODULES, nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)  # fmt: skip
#: Those that look at positions, by how many dimensions of them they take.
POSITION_MODULES = {
    getattr(nn, f"{kind}{rank}d"): rank
    for rank in (1, 2, 3)
    for kind in (
        "MaxPool", "AvgPool", "LPPool", "AdaptiveMaxPool", "AdaptiveAvgPool", "ZeroPad", "ConstantPad",
        "ReflectionPad", "ReplicationPad", "CircularPad",
    )
}  # fmt: skip
POSITION_FUNCTIONS = {
    f"{kind}_pool{rank}d": rank for rank in (1, 2, 3) for kind in ("max", "avg", "lp", "adaptive_max", "adaptive_avg")
}
#: Functions and methods of values that act on each unit alone. Where there are two values, they tie their units.
ALONE = {
    "add", "sub", "mul", "div", "truediv", "true_divide", "maximum", "minimum", "expand_as", "iadd", "isub", "imul",
    "itruediv", "neg", "abs", "square", "sqrt", "exp", "pow", "contiguous", "clone", "detach", "float", "double", "to",
    "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "stochastic_depth",
}  # fmt: skip
ALONE |= {f"{name}_" for name in ALONE}
REDUCTIONS = {"mean", "sum", "amax", "amin"}
VIEWS = {"flatten", "view", "reshape"}
CONCATENATIONS = {"cat", "concat", "concatenate"}
#: What asks about a value, without what it holds.
QUESTIONS = {"size", "dim", "ndimension", "getattr"}


def acts_alone(function: Any, name: str) -> bool:
    """Whether a function, or the name of a method, acts on each unit alone."""
    return name in ALONE or function in ACTIVATION_FUNCTIONS or function in ACTIVATION_METHODS


def is_torchs(function: Any, name: str) -> bool:
    """Whether a function is what its name says; a model may have one of its own."""
    homes = (torch, functional, operator)
    is_one = any(getattr(home, name, None) is function for home in homes)
    return is_one or str(getattr(function, "__module__", "")).startswith("torchvision.")
