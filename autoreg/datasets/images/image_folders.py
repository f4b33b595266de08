"""Images that lie in folders, one for each class."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import torch
from PIL import Image
from torch import Tensor

from autoreg.datasets.images.cache import hash_texts
from autoreg.datasets.images.encoded import open_image
from autoreg.errors import DataError

SUFFIXES = (".jpeg", ".jpg", ".png")


@dataclass(frozen=True)
class FolderImages:
    """Images that are files of a folder.

    Attributes:
        folder: where they lie.
        names: their paths below it, in one buffer, since a million Python texts take ten times as much.
        labels: int64, [images], indices into `classes`.
        classes: names of the classes (synsets), sorted.
        fingerprint: hash of names and sizes.
    """

    folder: Path
    names: pa.StringArray
    labels: Tensor
    classes: list[str]
    fingerprint: str

    def path(self, row: int) -> Path:
        """Return the file of an image."""
        return self.folder / str(self.names[row].as_py())

    def open(self, row: int) -> Image.Image:
        """Return an image, decoded. Raises DataError, naming its file, if it cannot be read."""
        return open_image(self.path(row), str(self.path(row)))


def labelled_folders(folder: Path) -> FolderImages:
    """Return the images of a folder that has one for each class. Raises DataError if one of them has none."""
    classes = class_folders(folder)
    if not classes:
        raise DataError(f"{folder} has no class folders, one for each class (ImageNet: synsets such as n01440764)")

    def listed(name: str) -> tuple[pa.StringArray, str]:
        files = images_in(folder / name)
        if not files:
            raise DataError(f"class folder {folder / name} has no images ({', '.join(SUFFIXES)})")
        return pa.array([f"{name}/{file}" for file, _ in files]), hash_texts(f"{file}:{size}" for file, size in files)

    with ThreadPoolExecutor() as pool:  # a million files: asking for their sizes waits for the disk
        names, fingerprints = zip(*pool.map(listed, classes), strict=True)
    labels = torch.repeat_interleave(torch.arange(len(classes)), torch.tensor([len(part) for part in names]))
    return FolderImages(folder, pa.concat_arrays(names), labels, classes, hash_texts([*classes, *fingerprints]))


def class_folders(folder: Path) -> list[str]:
    """Return the names of the folders in a folder, sorted; hidden ones are left out."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def images_in(folder: Path) -> list[tuple[str, int]]:
    """Return the names and sizes of a folder's images, sorted."""
    try:
        with os.scandir(folder) as entries:
            files = sorted(
                (entry.name, entry.stat().st_size)
                for entry in entries
                if entry.name.lower().endswith(SUFFIXES) and not entry.name.startswith(".")
            )
    except OSError as error:
        raise DataError(f"{folder} cannot be listed: {error}") from error
    for name in (folder.name, *(name for name, _ in files)):
        try:
            name.encode()
        except UnicodeEncodeError as error:  # Arrow and the fingerprint take no other
            raise DataError(f"the name of a file or folder must be UTF-8, got {name!r}") from error
    return files
