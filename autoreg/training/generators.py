"""The generators that a trial's code draws from: seeded, and put back to where they stood."""

import random
from typing import Any

import numpy as np
import torch


def seed_generators(seed: int, device: torch.device) -> None:
    """Seed what a network draws from; `torch.manual_seed` also prepares for devices that are not there, at length."""
    torch.default_generator.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


def drawn_so_far(device: torch.device) -> dict[str, Any]:
    """Return where the generators stand, in tensors, numbers and tuples of them."""
    numpy: Any = np.random.get_state()
    _, keys, *position = numpy
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        "python": random.getstate(),
        "numpy": (torch.from_numpy(keys.astype(np.int64)), *position),
    }


def draw_on_from(states: dict[str, Any], device: torch.device) -> None:
    """Put the generators to where `drawn_so_far` found them."""
    torch.set_rng_state(states["torch"])
    if states["cuda"] is not None and device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)
    random.setstate(states["python"])
    keys, *position = states["numpy"]
    np.random.set_state(("MT19937", keys.numpy().astype(np.uint32), *position))
