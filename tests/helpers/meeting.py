"""A network that notes who trains it and on which node, and can have the first two trainers wait for each other."""

import time
from pathlib import Path
from typing import Any

from autoreg.networks import Network
from tests.helpers.outside import build as sound

#: While it lies in the folder of the notes, a trainer waits until there is another one.
TOGETHER = "together"
SECONDS_OF_WAITING = 120.0


def build(width: float, *rest: Any, folder: str) -> Network:
    """Return a sound network; where it is trained (not measured, and not only counted) leave a note of it."""
    network = sound(width, *rest)
    if not next(network.parameters()).is_meta:
        _meet(Path(folder))
    return network


def trainers(folder: Path) -> dict[str, str]:
    """Return the node of every actor that has trained."""
    return {path.stem: path.read_text() for path in folder.glob("*.trainer")}


def _meet(folder: Path) -> None:
    import ray

    context = ray.get_runtime_context()
    actor = context.get_actor_id()
    if actor is None:  # it is measured, by a task
        return
    (folder / f"{actor}.trainer").write_text(context.get_node_id())
    deadline = time.monotonic() + SECONDS_OF_WAITING
    while (folder / TOGETHER).exists() and len(trainers(folder)) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
