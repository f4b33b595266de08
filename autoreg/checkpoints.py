"""Checkpoints: written whole or not at all, read without executing anything in them."""

from pathlib import Path
from typing import Any

import torch

from autoreg.errors import DataError, first_line
from autoreg.runs import write_atomically


class DamagedCheckpoint(DataError):
    """temp."""


def save(path: Path, content: dict[str, Any]) -> None:
    """Write tensors, numbers and texts in nested dicts and lists to a file, atomically."""
    write_atomically(path, lambda temporary: torch.save(content, temporary))


def load(path: Path, device: str | torch.device = "cpu") -> dict[str, Any]:
    """Return what `save` wrote. Raises DataError if the file is missing, damaged or holds more than plain data."""
    try:
        content: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch.load raises many kinds: zip, pickle, runtime and OS errors
        raise DamagedCheckpoint(f"{path}: cannot be read as a checkpoint: {first_line(error)}") from error
    return content
