"""Networks that fail at one width, to see that the others go on."""

import os
import signal
from pathlib import Path
from typing import Any

from autoreg.networks import Network
from tests.tuning.outside import build as sound


def build(width: float, *rest: Any) -> Network:
    """Return a sound network, but raise at ½x where it is trained (and not where it is only counted)."""
    network = sound(width, *rest)
    if width == 0.5 and not next(network.parameters()).is_meta:
        raise RuntimeError("this width is not for you")
    return network


def dying(width: float, *rest: Any) -> Network:
    """Return a sound network, but kill the process at ½x."""
    network = sound(width, *rest)
    if width == 0.5 and not next(network.parameters()).is_meta:
        os.kill(os.getpid(), signal.SIGKILL)
    return network


def fails_once(width: float, *rest: Any, folder: str) -> Network:
    """Return a sound network, but say once for each width that there is no memory."""
    network = sound(width, *rest)
    mark = Path(folder) / str(width)
    if not next(network.parameters()).is_meta and not mark.exists():
        mark.parent.mkdir(exist_ok=True)
        mark.touch()
        raise MemoryError("no memory this time")
    return network
