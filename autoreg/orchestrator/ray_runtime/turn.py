"""A sweep in a thread that can be left behind: a call of Ray's may never return, and no signal ends it."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from autoreg.orchestrator.backend import BackendLost
from autoreg.orchestrator.ray_runtime.stuck import is_stuck, leave

SECONDS_BETWEEN_LOOKS = 0.5
#: How long a thread has to end that is left behind, before it counts as stuck.
SECONDS_TO_END = 3.0


class LeftBehind(BaseException):
    """Ends a thread that was left behind; no `except Exception` of Ray's keeps it."""


class Turn:
    """Says whose turn it is: of the thread that runs the sweep, of Ray, or of who leaves both behind.

    Args:
        is_lost: asked whenever Ray comes back; what a lost Ray tells counts for nothing.
    """

    def __init__(self, is_lost: Callable[[], bool] = lambda: False) -> None:
        self._is_lost = is_lost
        self._is_over = False
        self._lock = Lock()

    @property
    def is_ours(self) -> bool:
        """Whether code of ours runs now, and not Ray's."""
        return self._lock.locked()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Run code of ours, which a thread begins with, and which Ray calls."""
        try:
            self._take()
            yield
        finally:
            self._lock.release()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Call Ray, in code of ours."""
        self._lock.release()
        try:
            yield
        finally:
            self._take()

    def end(self) -> None:
        """Leave the thread behind as soon as code of ours has come to an end: none of it runs afterwards."""
        with self._lock:
            self._is_over = True

    def _take(self) -> None:
        self._lock.acquire()
        if self._is_over or self._is_lost():
            raise LeftBehind


def watched(work: Callable[[], None], look: Callable[[], None], turn: Turn) -> None:
    """Do work in a thread of its own, and look after it; if `look` raises, the thread is left behind.

    Args:
        work: is done in its turn.
        look: is called twice a second, and once more if what Ray tells did not count any more.
        turn: the thread's.
    """
    errors: list[BaseException] = []

    def run() -> None:
        try:
            with turn.held():
                work()
        except BaseException as error:
            errors.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(SECONDS_BETWEEN_LOOKS)
            if thread.is_alive():
                look()
        if any(isinstance(error, LeftBehind) for error in errors):
            look()
    except BaseException:
        turn.end()
        # Where it runs Python, it ends at once; where it waits in a library, when it comes back from there.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(LeftBehind))
        leave(thread, SECONDS_TO_END)
        raise
    for error in errors:
        raise error


@contextmanager
def started(start: Callable[[], None], end: Callable[[], None], seconds: tuple[float, float]) -> Iterator[None]:
    """Start Ray, and end it, in one thread of its own, with whose end the system kills the processes that it started.

    Args:
        start: starts it.
        end: is called on leaving.
        seconds: how long each may take; an end that takes longer is left behind, after an error much sooner.

    Raises:
        BackendLost: the start takes longer; other errors are those of `start`.
    """
    errors: list[BaseException] = []
    has_started, is_over = Event(), Event()

    def run() -> None:
        try:
            start()
        except BaseException as error:
            errors.append(error)
        has_started.set()
        is_over.wait()
        if not is_stuck():
            end()

    thread = Thread(target=run, daemon=True)
    thread.start()
    seconds_to_end = SECONDS_TO_END
    try:
        if not has_started.wait(seconds[0]):
            raise BackendLost(f"it took more than {seconds[0]:g} s")
        for error in errors:
            raise error
        yield
        seconds_to_end = seconds[1]
    finally:
        is_over.set()
        leave(thread, seconds_to_end)
