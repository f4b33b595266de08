"""Why a try of a trial failed, and whether another one makes sense."""

import re
from dataclasses import dataclass
from pathlib import Path

from autoreg.orchestrator.ray_runtime.time_limit import stack_in

#: How a disk that takes nothing more shows.
_STORAGE = re.compile(r"No space left on device|Disk quota exceeded|Read-only file system|Input/output error")
#: How memory that did not suffice shows: Python's and PyTorch's errors, Ray's watch over a node, and a process that
#: somebody killed, which most often is the operating system for lack of memory.
_MEMORY = re.compile(r"MemoryError|[Oo]ut of memory|OutOfMemory|low on memory|died unexpectedly|crashed unexpectedly")


@dataclass(frozen=True)
class Failure:
    """What ended a try.

    Attributes:
        why: one line.
        details: more lines, such as where a hanging trial stood.
        wants_memory: whether another try is to have a machine for itself.
        is_final: whether another try would end in the same way.
        is_storage: whether nothing can be written any more, so that all other trials would fail as well.
    """

    why: str
    details: str = ""
    wants_memory: bool = False
    is_final: bool = False
    is_storage: bool = False


def failure_of(error: str, trace: Path, time_limit_hours: float | None) -> Failure:
    """Return what ended a try.

    Args:
        error: the text of Ray's error.
        trace: where a process leaves its stacks whose time is over.
        time_limit_hours: how long a trial may take.
    """
    if stack := stack_in(trace):
        why = f"it was stopped after {time_limit_hours:g} h, which is resources.time_limit_hours"
        return Failure(why, details=stack, is_final=True)
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    return Failure(
        lines[-1] if lines else "its process died",
        wants_memory=bool(_MEMORY.search(error)),
        is_storage=bool(_STORAGE.search(error)),
    )
