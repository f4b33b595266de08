"""Networks that fail at one width, to see that the others go on."""

import os
import signal
import threading
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


def needs_all(width: float, *rest: Any, cpus: int) -> Network:
    """Return a sound network, but at ½x have no memory unless the trial has so many CPUs for itself.

    Measuring, which takes no CPU from Ray, has enough.
    """
    network = sound(width, *rest)
    if width == 0.5 and not next(network.parameters()).is_meta:
        import ray

        if 0 < ray.get_runtime_context().get_assigned_resources().get("CPU", 0) < cpus:
            raise MemoryError("no memory beside others")
    return network


def hangs(width: float, *rest: Any) -> Network:
    """Return a sound network, but wait for ever at ½x."""
    network = sound(width, *rest)
    if width == 0.5 and not next(network.parameters()).is_meta:
        threading.Event().wait()
    return network
