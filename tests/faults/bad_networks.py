"""Networks that fail where they are trained, each width in its own way, until they are fixed."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from autoreg.networks import Network
from tests.helpers.outside import build as sound

#: A file of this name in the folder makes all of them sound.
FIXED = "fixed"
SOUND, RAISES, IS_KILLED, WANTS_MEMORY, HANGS, DIVERGES = 0.25, 0.5, 1.0, 2.0, 3.0, 4.0


class Diverging(nn.Module):
    """Gives no numbers."""

    def forward(self, values: Tensor) -> Tensor:
        return values * torch.nan


def build(width: float, *rest: Any, folder: str, cpus: int) -> Network:
    """Return a network of one hidden layer, or fail as this width does.

    Args:
        width: says how.
        rest: input shape, classes, dropout.
        folder: where `FIXED` is looked for.
        cpus: how many the one that wants memory must have for itself.
    """
    network = sound(width, *rest)
    is_only_counted = next(network.parameters()).is_meta
    if is_only_counted or (Path(folder) / FIXED).exists():
        return network
    if width == RAISES:
        raise RuntimeError("this width is not for you")
    if width == IS_KILLED:
        os.kill(os.getpid(), signal.SIGKILL)
    if width == WANTS_MEMORY:
        import ray

        if 0 < ray.get_runtime_context().get_assigned_resources().get("CPU", 0) < cpus:  # measuring takes none
            raise MemoryError("no memory beside others")
    if width == HANGS:
        threading.Event().wait()
    if width == DIVERGES:
        stages = [*network.stages.named_children(), ("nan", Diverging())]
        return Network(stages, measured=["hidden"])
    return network
