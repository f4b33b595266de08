"""A second process that ends with the sweep: when its driver is gone, in whatever way, nothing of it stays behind.

Ray's own processes notice a killed driver after seconds, hold the memory of a GPU meanwhile, and leave their files. The
reaper waits at a pipe which the system closes when the driver ends. It is started from this file, with nothing
imported, so that it is there in milliseconds.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

#: The environment variable that every process of a sweep inherits, by which the reaper knows them.
MARK = "AUTOREG_REAPED_BY"
#: How long the reaper looks for processes that have just been started.
SECONDS_OF_SEARCH = 10.0
#: Told to the reaper, as the last of the folders, by a driver that ends as it should.
FAREWELL = b"\0"
LAST_WORDS = "autoreg: the sweep was ended from outside, or by Ray; rerun the same command to resume"


class Reaper:
    """Started before Ray; while it is entered, processes started here carry its mark.

    On leaving, and when this process dies, all of them are killed and the folders that `remove` named are removed.
    """

    def __enter__(self) -> "Reaper":
        self._mark = uuid4().hex
        # A session of its own, since a Ctrl-C is for the driver, which has things to finish.
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", __file__, self._mark],
            stdin=subprocess.PIPE,
            start_new_session=True,
            env={name: value for name, value in os.environ.items() if name != MARK},
        )
        self._outer = os.environ.get(MARK)
        os.environ[MARK] = self._mark
        return self

    def remove(self, folder: Path) -> None:
        """Have a folder removed at the end."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # somebody has killed the reaper: then only Ray cleans up
            self._process.stdin.write(os.fsencode(folder.absolute()) + b"\0")
            self._process.stdin.flush()

    def __exit__(self, *error: object) -> None:
        os.environ.pop(MARK)
        if self._outer is not None:
            os.environ[MARK] = self._outer
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(FAREWELL)
            self._process.stdin.close()
        self._process.wait()


def processes_with(mark: str) -> list[int]:
    """Return the ids of all processes whose environment has the mark; none where the system does not tell."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


def _reap(mark: str) -> None:
    told = sys.stdin.buffer.read().split(b"\0")[:-1]  # until the driver closes the pipe, or dies
    deadline, empty = time.monotonic() + SECONDS_OF_SEARCH, 0
    while empty < 2 and time.monotonic() < deadline:  # a process that is being started shows at the second look
        found = processes_with(mark)
        for process in found:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        empty = 0 if found else empty + 1
        time.sleep(0.05)
    for folder in filter(None, told):
        shutil.rmtree(os.fsdecode(folder), ignore_errors=True)
    if b"" not in told:
        with suppress(OSError):
            print(LAST_WORDS, file=sys.stderr, flush=True)


if __name__ == "__main__":
    _reap(sys.argv[1])
