"""The end of a trial that hangs: its process kills itself, and leaves behind where it stood."""

import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def time_limit(seconds: float | None, trace: Path) -> Iterator[None]:
    """End this process if what is inside takes longer than that.

    The clock is a thread of the interpreter's own that needs no lock, so that it ends code which hangs in a library as
    well as an endless loop.

    Args:
        seconds: how long; None for as long as it takes.
        trace: a file that then holds the stacks of all threads. Otherwise it is not there afterwards.
    """
    if seconds is None:
        yield
        return
    trace.parent.mkdir(parents=True, exist_ok=True)
    with trace.open("w") as file:
        faulthandler.dump_traceback_later(seconds, exit=True, file=file)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
    trace.unlink(missing_ok=True)


def stack_in(trace: Path) -> str | None:
    """Return the stacks that a process left when its time was over, the innermost call first; None if it did not."""
    try:
        return trace.read_text(encoding="utf-8") or None
    except FileNotFoundError:
        return None
