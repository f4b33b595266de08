"""Threads that were left behind: they wait in Ray, where nothing ends them. Imported at once, it imports little."""

from threading import Thread
from threading import enumerate as all_threads

LEFT_BEHIND = "autoreg: left behind"


def leave(thread: Thread, seconds: float) -> None:
    """Wait so long for a thread, and then no longer."""
    thread.join(seconds)
    thread.name = LEFT_BEHIND


def is_stuck() -> bool:
    """Whether a thread that was left behind is still there; Ray is of no more use to this process."""
    return any(thread.name == LEFT_BEHIND for thread in all_threads())
