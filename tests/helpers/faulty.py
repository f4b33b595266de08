"""Networks that fail, to see that the others go on and what is said of it."""

import warnings
from pathlib import Path
from typing import Any

from autoreg.networks import Network
from tests.helpers.outside import build as sound


def fails_once(width: float, *rest: Any, folder: str) -> Network:
    """Return a sound network, but say once for each width that there is no memory."""
    network = sound(width, *rest)
    mark = Path(folder) / str(width)
    if not next(network.parameters()).is_meta and not mark.exists():
        mark.parent.mkdir(exist_ok=True)
        mark.touch()
        raise MemoryError("no memory this time")
    return network


def warns_and_fails(width: float, *rest: Any) -> Network:
    """Return no network."""
    warnings.warn("this will end badly", stacklevel=1)
    raise RuntimeError("as foreseen")


def names_no_file(width: float, *rest: Any) -> Network:
    """Return no network, and say a name that is no UTF-8."""
    raise ValueError("no file \udcff")
