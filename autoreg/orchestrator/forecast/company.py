"""Company for what is timed: other trials will keep the other cores busy, and share caches, memory and clock."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: Multiplies matrices, and now and then walks through more memory than caches hold, as training does.
BUSY = """\
import os, sys
import numpy
matrix, large = numpy.ones((384, 384), "f"), numpy.ones(4_000_000, "f")
while os.getppid() == int(sys.argv[1]):
    for _ in range(8):
        matrix @ matrix
    large += 1
"""
#: Beyond that many, more make no difference that a forecast could show.
MOST = 31


@contextmanager
def company(others: int) -> Iterator[None]:
    """Keep so many other cores busy, each with a process of one thread."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-c", BUSY, str(os.getpid())]
    processes = [
        subprocess.Popen(command, env=os.environ | threads, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(min(others, MOST))
    ]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
