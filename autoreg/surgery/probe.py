"""Inputs that are nobody's examples, for files that go elsewhere."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor


def probe(like: Tensor) -> Tensor:
    """Return random inputs of the shape and the type of some, on their device; whole numbers are 0 and 1."""
    draw: Callable[..., Tensor] = torch.randn if like.is_floating_point() else partial(torch.randint, 2)
    return draw(like.shape, generator=torch.Generator().manual_seed(0)).to(like)
