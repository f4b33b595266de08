"""Random seeds, derived from what they are for."""

import hashlib


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
