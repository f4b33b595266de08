"""Networks that change what others in their process compute, or set something when they are imported."""

import torch

from autoreg.networks import Network
from tests.helpers.outside import build as sound


def sets_dtype(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    """Return a sound network of float32, and leave float64 and another random state behind."""
    network = sound(width, input_shape, classes, dropout).float()
    if not next(network.parameters()).is_meta:
        torch.set_default_dtype(torch.float64)
        torch.use_deterministic_algorithms(True)
    return network
