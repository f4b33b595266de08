"""Networks that fail at one width, to see that the others go on."""

import os
import signal
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
