"""The compiled kernel of pooling, ReLU and normalization: made at first use, and kept in the cache."""

import ctypes
import hashlib
import os
import shutil
import stat
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from autoreg.errors import first_line
from autoreg.files import cache_folder, write_atomically
from autoreg.networks.cpu import cpu_flags

SOURCE = Path(__file__).with_name("pool_relu_norm.c")
COMPILER = ("cc", "-O3", "-march=x86-64-v4", "-mavx512bf16", "-shared", "-fPIC")
#: What Linux calls the instructions of these options that not every CPU with AVX-512 has.
NEEDED = ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512_bf16")
_SECONDS_TO_COMPILE = 120.0

_ARGUMENTS: list[Any] = [*[ctypes.c_void_p] * 5, *[ctypes.c_long] * 4, ctypes.c_float]


class Kernel:
    """Max-pooling 3/2 (ceil), ReLU and local response normalization of radius 2, of activations in channels-last."""

    #: What it computes with: the inputs' type is the outputs'.
    types = (torch.float32, torch.bfloat16)

    def __init__(self, library: Path) -> None:
        functions = ctypes.CDLL(str(library))
        names = {kind: str(kind).removeprefix("torch.") for kind in self.types}
        self._forward = {kind: functions[f"forward_{name}"] for kind, name in names.items()}
        self._backward = {kind: functions[f"backward_{name}"] for kind, name in names.items()}
        for function in (*self._forward.values(), *self._backward.values()):
            function.argtypes, function.restype = _ARGUMENTS, None

    def forward(self, inputs: Tensor, alpha: float) -> tuple[Tensor, Tensor, Tensor]:
        """Return the outputs, and what `backward` needs: the pooled activations, and where each stood in its window."""
        batch, channels, height, width = inputs.shape
        pooled, which, outputs = (
            torch.empty(batch, channels, height // 2, width // 2, dtype=kind, memory_format=torch.channels_last)
            for kind in (inputs.dtype, torch.uint8, inputs.dtype)
        )
        scratch, sizes = torch.empty(2 * (channels + 4)), (batch, height, width, channels)
        _call(self._forward[inputs.dtype], (inputs, pooled, which, outputs, scratch), sizes, alpha)
        return outputs, pooled, which

    def backward(self, gradients: Tensor, pooled: Tensor, which: Tensor, like: torch.Size, alpha: float) -> Tensor:
        """Return the gradients of inputs of such a shape."""
        batch, channels, height, width = like
        found = torch.empty(like, dtype=pooled.dtype, memory_format=torch.channels_last)
        scratch = torch.empty(3 * (channels + 4) + channels + height * width * channels)
        tensors, sizes = (gradients, pooled, which, found, scratch), (batch, height, width, channels)
        _call(self._backward[pooled.dtype], tensors, sizes, alpha)
        return found


def _call(
    function: "ctypes._NamedFuncPointer", tensors: tuple[Tensor, ...], sizes: tuple[int, ...], alpha: float
) -> None:
    function(*(tensor.data_ptr() for tensor in tensors), *sizes, alpha)


@cache
def load_kernel() -> Kernel | str:
    """Return the kernel, compiled now if it is not in the cache yet; or in a few words why there is none here."""
    if missing := [name for name in NEEDED if name not in cpu_flags()]:
        return f"this CPU has no {missing[-1]}"
    folder = cache_folder() / "kernels"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_private(folder):
            return f"{folder} is not a folder that only you can write and read (0700)"
        found = _in_cache(folder)
        if not (found or shutil.which(COMPILER[0])):
            return f"there is no C compiler {COMPILER[0]}"
        return Kernel(found or _compile(folder))
    except subprocess.CalledProcessError as error:
        return f"{COMPILER[0]} failed: {(error.stderr.splitlines() or [error.returncode])[0]}"
    except (OSError, subprocess.TimeoutExpired) as error:
        return first_line(error)


def _in_cache(folder: Path) -> Path | None:
    """Return the compiled file if it is there, private, and has the content that its name states."""
    for path in folder.glob(f"{_name()}-*.so"):
        if _is_private(path) and path.stem.rpartition("-")[2] == _digest(path.read_bytes()):
            return path
        path.unlink(missing_ok=True)
    return None


def _compile(folder: Path) -> Path:
    with TemporaryDirectory(dir=folder) as temporary:
        made = Path(temporary) / "kernel.so"
        command = [*COMPILER, str(SOURCE), "-o", str(made)]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS_TO_COMPILE)
        content = made.read_bytes()

    def write(temporary: Path) -> None:
        temporary.write_bytes(content)
        temporary.chmod(0o700)  # before it has its name, by which another process finds it and looks at this

    path = folder / f"{_name()}-{_digest(content)}.so"
    write_atomically(path, write)
    return path


def _name() -> str:
    return f"{SOURCE.stem}-{_digest(SOURCE.read_bytes() + ' '.join(COMPILER).encode())}"


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _is_private(path: Path) -> bool:
    """Whether a file or folder, which is no link, belongs to this user, and nobody else may use it."""
    status = path.lstat()
    return not stat.S_ISLNK(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
