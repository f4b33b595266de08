"""What tells files apart: their bytes, which are read once and remembered for as long as a file has not changed."""

import hashlib
import os
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

import numpy as np
import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from autoreg.datasets.images.cache import Array, cache_folder, hash_texts
from autoreg.errors import DataError
from autoreg.files import write_bytes

#: Bytes of a set up to which all of them are read. Of a larger one a sample is, all over it.
WHOLE = 2 << 30
#: Bytes; of a larger file in such a set, pieces of this size are read.
PIECE = 1 << 22
#: Nanoseconds within which a file may change twice and show one time of change (NFS, FAT).
TICK = 2_000_000_000


State = tuple[int, int, int, int]


def state_of(file: Path | os.DirEntry[str]) -> State:
    """Return size, time of the last write, time of the last change (which nothing can set back) and inode of a file.

    Raises:
        DataError: it is none, but a pipe or a device, which may be read for ever.
    """
    stat = file.stat()
    if not S_ISREG(stat.st_mode):
        raise DataError(f"{os.fspath(file)} is not a file, but a folder, a pipe, a socket or a device")
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


@dataclass(frozen=True)
class Files:
    """Files below a folder, in an order that counts.

    Attributes:
        folder: where they lie.
        names: their paths below it, in one buffer, since a million Python texts take ten times as much.
        states: `state_of` each, int64, [files, 4].
    """

    folder: Path
    names: pa.StringArray
    states: Array

    @classmethod
    def of(cls, folder: Path, paths: Iterable[Path]) -> "Files":
        """Return given files below a folder."""
        listed = list(paths)
        names = pa.array([str(path.relative_to(folder)) for path in listed], pa.string())
        return cls(folder, names, np.array([state_of(path) for path in listed], np.int64).reshape(-1, 4))

    def contents(self) -> list[str]:
        """Return a text for each file that tells it apart.

        In a set of up to `WHOLE` bytes it is the hash of all bytes. In one n times as large it is the name and the
        size, with the hash of the bytes for every n-th file, and for each file larger than `PIECE` that of every n-th
        piece and of the last one.

        A file is read again only if its path, size, times or inode are others than when it was.

        Raises:
            OSError: a file cannot be read.
        """
        sizes = self.states[:, 0]
        step = max(1, -(-int(sizes.sum()) // WHOLE))
        rows = ((sizes > PIECE) | (np.arange(len(sizes)) % step == 0)).nonzero()[0]
        states = [(*state, step if state[0] > PIECE else 1) for state in self.states[rows].tolist()]
        read = _hashes(self.folder, self.names.take(rows).to_pylist(), states)
        if step == 1:
            return read
        of_row = dict(zip(rows.tolist(), read, strict=True))
        described = zip(self.names.to_pylist(), sizes.tolist(), strict=True)
        return [f"{name}:{size}:{of_row.get(row, '')}" for row, (name, size) in enumerate(described)]


#: `state_of` a file, of how many pieces one was read, and their hash.
_Read = tuple[int, int, int, int, int, str]
_REMEMBERED = TypeAdapter(dict[str, _Read])


def _hashes(folder: Path, names: list[str], states: list[tuple[int, int, int, int, int]]) -> list[str]:
    """Return the hashes of files, each from a file of the cache if it has the same state as when it was read.

    Processes that write that file at the same time lose each other's hashes, which are then made again.

    Args:
        folder: where the files lie.
        names: their paths below it.
        states: `state_of` each, and of how many pieces one is read.
    """
    path = cache_folder() / f"hashes-{hash_texts([str(folder.resolve())])}.json"
    try:
        known = _REMEMBERED.validate_json(path.read_bytes()) if path.is_file() else {}
    except ValidationError:  # cut off: every file is read again
        known = {}
    new: dict[str, _Read] = {}

    def read(row: int) -> str:
        started, (size, _, changed, _, step) = time.time_ns(), states[row]
        content = _hash_pieces(folder / names[row], size, step)
        if changed + TICK < started:  # else it may yet change without showing it
            new[names[row]] = (*states[row], content)
        return content

    known_here = [known.get(name) for name in names]
    hashes = [
        entry[-1] if entry and entry[:-1] == state else "" for entry, state in zip(known_here, states, strict=True)
    ]
    unknown = [row for row, content in enumerate(hashes) if not content]
    with ThreadPoolExecutor() as pool:
        for row, content in zip(unknown, pool.map(read, unknown), strict=True):
            hashes[row] = content
    if new:
        write_bytes(path, _REMEMBERED.dump_json(known | new))
    return hashes


def _hash_pieces(path: Path, size: int, step: int) -> str:
    """Return the hash of every `step`-th piece of a file, and of its end."""
    digest = hashlib.blake2b(digest_size=8)
    with path.open("rb") as file:
        for start in sorted({*range(0, size, PIECE * step), max(0, size - PIECE) if step > 1 else 0}):
            file.seek(start)
            digest.update(file.read(PIECE))
    return digest.hexdigest()
