"""Images that lie in folders, one for each class."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from PIL import Image
from torch import Tensor

from autoreg.datasets.images.cache import Array, hash_texts
from autoreg.datasets.images.content import Files, state_of
from autoreg.datasets.images.encoded import open_image
from autoreg.errors import DataError

SUFFIXES = (".jpeg", ".jpg", ".png")


@dataclass(frozen=True)
class FolderImages:
    """Images that are files of a folder.

    Attributes:
        files: which, in the order of their classes.
        labels: int64, [images], indices into `classes`.
        classes: names of the classes (synsets), sorted.
        fingerprint: hash of the classes, the labels and what tells the files apart.
        earlier: hash of names and sizes, which earlier versions looked at.
    """

    files: Files
    labels: Tensor
    classes: list[str]
    fingerprint: str
    earlier: str

    @classmethod
    def of(cls, files: Files, labels: Tensor, classes: list[str], earlier: str) -> "FolderImages":
        """Return labelled images with the fingerprint that they have."""
        return cls(files, labels, classes, hash_texts([*classes, str(labels.tolist()), *files.contents()]), earlier)

    @property
    def are_as_before(self) -> bool:
        """Whether earlier versions saw the same pixels: all images are JPEG, by their names."""
        return bool(pc.all(pc.match_substring_regex(self.files.names, r"\.jpe?g$", ignore_case=True)).as_py())

    def path(self, row: int) -> Path:
        """Return the file of an image."""
        return self.files.folder / str(self.files.names[row].as_py())

    def open(self, row: int) -> Image.Image:
        """Return an image, decoded. Raises DataError, naming its file, if it cannot be read."""
        return open_image(self.path(row), str(self.path(row)))


def labelled_folders(folder: Path) -> FolderImages:
    """Return the images of a folder that has one for each class. Raises DataError if one of them has none."""
    classes = class_folders(folder)
    if not classes:
        raise DataError(f"{folder} has no class folders, one for each class (ImageNet: synsets such as n01440764)")

    with ThreadPoolExecutor() as pool:  # a million files: asking for their sizes waits for the disk
        listed = list(pool.map(partial(_images_of, folder), classes))
    names, states, earlier = zip(*listed, strict=True)
    labels = torch.repeat_interleave(torch.arange(len(classes)), torch.tensor([len(part) for part in names]))
    files = Files(folder, pa.concat_arrays(names), np.concatenate(states))
    return FolderImages.of(files, labels, classes, hash_texts([*classes, *earlier]))


def _images_of(folder: Path, name: str) -> tuple[pa.StringArray, Array, str]:
    """Return the images of a class: their paths, their states, and the hash of names and sizes."""
    files = images_in(folder / name)
    if not files:
        raise DataError(f"class folder {folder / name} has no images ({', '.join(SUFFIXES)})")
    states = np.array([state for _, state in files], np.int64)
    return (
        pa.array([f"{name}/{file}" for file, _ in files]),
        states,
        hash_texts(f"{file}:{state[0]}" for file, state in files),
    )


def class_folders(folder: Path) -> list[str]:
    """Return the names of the folders in a folder, sorted; hidden ones are left out."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def images_in(folder: Path) -> list[tuple[str, tuple[int, int, int, int]]]:
    """Return the names of a folder's images, sorted, and the state of each (`state_of`)."""
    try:
        with os.scandir(folder) as entries:
            files = sorted(
                (entry.name, state_of(entry.stat()))
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
