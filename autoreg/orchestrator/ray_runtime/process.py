"""The process that trains or measures: its device, its threads, whose life it is tied to, and how long it may take."""

import ctypes
import faulthandler
import os
import platform
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from autoreg import __version__

SECONDS_BETWEEN_LOOKS = 1.0


def emptiest_gpu() -> str:
    """Return the device with most free memory, `cuda:0` or another, or `cpu` where there is no GPU."""
    if not torch.cuda.is_available():
        return "cpu"
    free = {index: torch.cuda.mem_get_info(index)[0] for index in range(torch.cuda.device_count())}
    return f"cuda:{max(free, key=lambda index: free[index])}"


def give_memory_back(device: str) -> None:
    """Leave to others what memory PyTorch keeps of a GPU, and glibc of this machine: this process stays."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):  # a call of glibc's own
        trim(0)
    if device.startswith("cuda"):
        torch.cuda.empty_cache()


def prepare_process(threads: int, device: str) -> str:
    """Tie this process to its parent's life, set its threads, and return the device.

    One thread a trial: a tiny network on two threads of a busy machine is many times slower than on one.
    """
    if sys.platform == "linux":  # Ray's own workers outlive a killed driver by seconds, holding GPU memory
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)
    torch.set_num_threads(threads)
    return device


def machine(device: str) -> str:
    """Return what trains here, in words."""
    where = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    threads = torch.get_num_threads()
    versions = f"autoreg {__version__}, PyTorch {torch.__version__}, Python {platform.python_version()}"
    return f"{where}, {threads} thread{'s' * (threads > 1)}, process {os.getpid()} of {platform.node()}; {versions}"


@contextmanager
def ended_by(path: Path) -> Iterator[None]:
    """End this process within a second or two of a file's being there, unless what is inside is done before.

    It may wait for an answer that does not come, such as Ray's after a lost message.
    """
    is_done = threading.Event()

    def watch() -> None:
        while not is_done.wait(SECONDS_BETWEEN_LOOKS):
            if path.exists():
                os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        is_done.set()


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
