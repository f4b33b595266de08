"""Fingerprints: by which data is told from other data, in 16 hexadecimal digits."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


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


def hash_footers(paths: Iterable[Path]) -> str:
    """Return the hash of Parquet files' names, sizes and footers, which say where each column lies and its extremes."""
    digest = hashlib.blake2b(digest_size=8)
    for path in paths:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 8))
            file.seek(max(0, size - 8 - int.from_bytes(file.read(4), "little")))
            digest.update(f"{path.name}:{size}\n".encode() + file.read())
    return digest.hexdigest()
