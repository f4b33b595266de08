"""Checkpoints: written whole or not at all, read without executing anything in them, checked against damage."""

import errno
import hashlib
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from autoreg.errors import DataError, first_line
from autoreg.files import write_atomically

_DIGEST = "digest"


class DamagedCheckpoint(DataError):
    """A checkpoint is missing, is not what was written, or does not belong where it lies."""


def save(path: Path, content: dict[str, Any]) -> None:
    """Write tensors, numbers and texts in nested dicts and lists to a file, atomically, with their checksum.

    The file is one that `torch.load(path, weights_only=True)` reads; the checksum stands in it under `digest`.
    """
    whole = {**content, _DIGEST: digest(content)}
    write_atomically(path, lambda temporary: _write(whole, temporary))


def _write(content: dict[str, Any], path: Path) -> None:
    try:
        with path.open("wb") as file:
            torch.save(content, file)
    except RuntimeError as error:  # PyTorch's own, of an archive that got no end; what the system said comes before it
        if isinstance(error.__context__, OSError):
            raise error.__context__ from error
        raise


def load(path: Path) -> dict[str, Any]:
    """Return what `save` wrote, on the CPU.

    PyTorch looks at no checksum of its own, so that a changed bit of a weight would go unnoticed. What the machine
    gets wrong (a file that may not be read, no memory) says nothing about the file and is raised as it is.

    Raises:
        DamagedCheckpoint: the file is missing, damaged or holds more than plain data.
    """
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        stated = content.pop(_DIGEST, None)
        # Checkpoints of the first version state no digest, and neither does one whose digest the damage has hidden.
        is_whole = _has_whole_records(path) if stated is None else stated == digest(content)
    except FileNotFoundError as error:
        raise DamagedCheckpoint(f"{path.name} is missing") from error
    except Exception as error:  # what torch.load makes of damage: zip, pickle, index, text and type errors
        points_outside = isinstance(error, OSError) and error.errno == errno.EINVAL
        if isinstance(error, OSError | MemoryError) and not points_outside:
            raise
        why = first_line(error).split(". ")[0]
        raise DamagedCheckpoint(f"{path.name} cannot be read as a checkpoint: {why}") from error
    if not is_whole:
        raise DamagedCheckpoint(f"{path.name} was damaged: its content does not have the checksum it was written with")
    return content


def _has_whole_records(path: Path) -> bool:
    """Whether each record of the archive has the CRC-32 that PyTorch wrote and does not look at."""
    with zipfile.ZipFile(path) as archive:
        return archive.testzip() is None


def digest(content: Any) -> str:
    """Return the BLAKE2b hash of nested dicts and lists of tensors, numbers and texts: 32 hexadecimal digits."""
    hasher = hashlib.blake2b(digest_size=16)
    _feed(hasher, content)
    return hasher.hexdigest()


def _feed(hasher: "hashlib.blake2b", content: Any) -> None:
    if isinstance(content, Tensor):
        hasher.update(f"{content.dtype}{tuple(content.shape)};".encode())
        hasher.update(content.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    elif isinstance(content, dict):
        hasher.update(f"dict{len(content)};".encode())
        for key, value in content.items():
            _feed(hasher, key)
            _feed(hasher, value)
    elif isinstance(content, list | tuple):
        hasher.update(f"list{len(content)};".encode())
        for value in content:
            _feed(hasher, value)
    else:
        hasher.update(f"{content!r};".encode())
