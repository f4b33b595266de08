"""Random seeds, derived from what they are for, and the generators that a user's code may draw from."""

import hashlib
import random
from typing import Any

import numpy as np


def derive_seed(replicate: int | str, *purpose: str | int) -> int:
    """Return a 63-bit seed for one purpose of one replicate.

    Seeds depend on the replicate and not on a trial's other settings: all widths, initializers and learning rates of a
    replicate see the same batches and the same random labels, which makes their comparison a paired one.

    Args:
        replicate: the replicate's number, or the id of a group whose proposals are drawn.
        purpose: for example `"batch order", epoch`.
    """
    text = "/".join(str(part) for part in (replicate, *purpose))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator_states() -> tuple[Any, ...]:
    """Return the states of Python's and NumPy's own generators; two are equal if nothing was drawn between them."""
    numpy: Any = np.random.get_state()
    return random.getstate(), numpy[1].tobytes(), numpy[2:]
