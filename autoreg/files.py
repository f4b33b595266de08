"""Files written whole or not at all, their names, JSON read back, locks between processes, and the cache folder."""

import errno
import fcntl
import json
import math
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from autoreg.errors import DataError, first_line

#: How often a lock that another process holds is tried again.
SECONDS_BETWEEN_TRIES = 0.1


def cache_folder() -> Path:
    """Return the folder AUTOREG_CACHE, else `autoreg` in XDG_CACHE_HOME, else `~/.cache/autoreg`."""
    if os.environ.get("AUTOREG_CACHE"):
        return Path(os.environ["AUTOREG_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "autoreg"


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file so that it is either not there or whole: temporary name, fsync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    try:
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if str(error.filename) == str(temporary):  # of which nobody knows
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        temporary.unlink(missing_ok=True)
    descriptor = os.open(path.parent, os.O_RDONLY)  # the folder, which has the new name
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    write_atomically(path, lambda temporary: temporary.write_bytes(content))


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    write_bytes(path, text.encode())


def as_file_name(name: str) -> str:
    """Return a file's name for a name out of a file that may be a stranger's: it leads to no other folder."""
    return re.sub(r"[^\w.,=()+ -]", "_", name).lstrip(".")[:200] or "_"


def read_json(path: Path) -> Any:
    """Return a JSON file's content. Raises DataError if it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: cannot be read as JSON: {first_line(error)}") from error


@contextmanager
def hold(path: Path, patience: float = math.inf, give_up: Callable[[], bool] = lambda: False) -> Iterator[bool]:
    """Hold a lock, and say whether it is held; the system lets go of it if the process dies.

    Args:
        path: the lock's file, which goes when the lock does.
        patience: for how many seconds another process's lock is waited for.
        give_up: asked while another process holds it; when true, the waiting ends without the lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + patience
    while True:
        with path.open("a") as file:  # not "w", which would empty a file that a planted link leads to
            if _is_held_now(file, path):
                try:
                    yield True
                finally:
                    path.unlink(missing_ok=True)
                return
        if give_up() or time.monotonic() >= deadline:
            yield False
            return
        time.sleep(SECONDS_BETWEEN_TRIES)


def is_held(path: Path) -> bool:
    """Whether a process holds a lock. Raises OSError if its file is not there."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _is_held_now(file: IO[str], path: Path) -> bool:
    """Lock an open file, unless another process has, or has removed the file since it was opened."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.ENOENT, errno.ESTALE):  # the last: removed by another machine
            return False
        raise
