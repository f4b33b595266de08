"""The cache of decoded or rearranged data, and the hashes of files, 16 hexadecimal digits, that name what is in it."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from autoreg.errors import DataError, first_line
from autoreg.files import cache_folder as cache_folder
from autoreg.files import write_atomically

Array = np.ndarray[Any, Any]
#: Images that are in memory at a time on their way into the cache.
CHUNK = 256


def hash_texts(texts: Iterable[str]) -> str:
    """Return the hash of some texts."""
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=8).hexdigest()


def hash_files(paths: Iterable[Path]) -> str:
    """Return the hash of all bytes of some files."""
    digest = hashlib.blake2b(digest_size=8)
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(1 << 22):
                digest.update(chunk)
    return digest.hexdigest()


def cached_array(path: Path, shape: tuple[int, ...], kind: type, **how: Any) -> Array:
    """Return an array of the cache. Raises DataError if it is not what was written.

    Args:
        path: a file that `save_array` wrote.
        shape: what it must have; -1 stands for any length.
        kind: the type of its numbers.
        how: options of `numpy.load`; `mmap_mode="c"` has all workers see the same pages of the one file.
    """
    try:
        array: Array = np.load(path, **how)  # of numbers only: NumPy unpickles nothing unasked
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"{path} is damaged: {first_line(error)}; delete it") from error
    fits = len(array.shape) == len(shape) and all(
        want in (-1, got) for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits or array.dtype != kind:
        raise DataError(f"{path} is damaged: {array.shape} {array.dtype}, should be {shape} {kind.__name__}; delete it")
    return array


def save_array(path: Path, array: Array) -> None:
    """Write an array to the cache, atomically."""

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # NumPy itself would add a suffix to a path
            np.save(file, array)

    write_atomically(path, write)
