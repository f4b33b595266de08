"""Locks between processes: files that are there only while somebody holds or waits for them."""

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

SECONDS_BETWEEN_TRIES = 0.1


@contextmanager
def hold(path: Path, give_up: Callable[[], bool]) -> Iterator[bool]:
    """Hold a lock, and say whether it is held; the system lets go of it if the process dies.

    Args:
        path: the lock's file.
        give_up: asked while another process holds it; when true, the waiting ends without the lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("a") as file:  # not "w", which would empty a file that a planted link leads to
            if _is_held_now(file, path):
                try:
                    yield True
                finally:
                    path.unlink(missing_ok=True)
                return
        if give_up():
            yield False
            return
        time.sleep(SECONDS_BETWEEN_TRIES)


def _is_held_now(file: IO[str], path: Path) -> bool:
    """Lock an open file, unless another process has, or has removed the file since it was opened."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.ENOENT, errno.ESTALE):  # the last: removed by another machine
            return False
        raise
