"""Images that lie in folders, one for each class."""

import os
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
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
from autoreg.datasets.images.content import Files, State, state_of
from autoreg.datasets.images.encoded import open_image
from autoreg.errors import DataError, DataWarning

SUFFIXES = (
    ".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp",
)  # fmt: skip


@dataclass(frozen=True)
class FolderImages:
    """Images that are files of a folder.

    Attributes:
        files: which, in the order of their classes.
        labels: int64, [images], indices into `classes`.
        classes: names of the classes (synsets) in the composed form of Unicode, sorted.
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


@dataclass(frozen=True)
class Listed:
    """The images of a folder.

    Attributes:
        names: their paths below it, sorted.
        states: `state_of` each.
        others: how many other files there are, by their endings.
    """

    names: list[str]
    states: list[State]
    others: Counter[str]


def labelled_folders(folder: Path) -> FolderImages:
    """Return the images of a folder that has one for each class.

    Images in folders of a class folder are of that class. Names that differ in their form of Unicode are one class.

    Raises:
        DataError: there are not two classes, or one has no images.

    Warns:
        DataWarning: there are images beside the class folders or below them, or files that are not read.
    """
    spellings: dict[str, list[str]] = {}
    for name in class_folders(folder):
        spellings.setdefault(unicodedata.normalize("NFC", name), []).append(name)
    classes = sorted(spellings)
    if not classes:
        raise DataError(f"{folder} has no class folders, one for each class (ImageNet: synsets such as n01440764)")
    if len(classes) == 1:
        raise DataError(f"{folder} has one class folder alone, {classes[0]}; there must be two classes at least")
    spelled = [name for label in classes for name in spellings[label]]
    with ThreadPoolExecutor() as pool:  # a million files: asking for their sizes waits for the disk
        parts = list(pool.map(partial(_images_of, folder), spelled))
    _tell(folder, parts)
    counts = torch.tensor([len(part.names) for part in parts])
    labels = torch.tensor([label for label, name in enumerate(classes) for _ in spellings[name]])
    names, states = pa.concat_arrays([part.names for part in parts]), np.concatenate([part.states for part in parts])
    earlier = hash_texts([*spelled, *(part.sizes for part in parts)])
    return FolderImages.of(Files(folder, names, states), labels.repeat_interleave(counts), classes, earlier)


@dataclass(frozen=True)
class _Class:
    """What a class folder holds: see `Listed`; `below` images are in folders of it, `sizes` hashes names and sizes."""

    names: pa.StringArray
    states: Array
    others: Counter[str]
    below: int
    sizes: str


def _images_of(folder: Path, name: str) -> _Class:
    found = images_in(folder / name)
    if not found.names:
        raise DataError(f"class folder {folder / name} has no images ({', '.join(SUFFIXES)})")
    sizes = hash_texts(f"{file}:{state[0]}" for file, state in zip(found.names, found.states, strict=True))
    names = pa.array([f"{name}/{file}" for file in found.names])
    below = sum("/" in file for file in found.names)
    return _Class(names, np.array(found.states, np.int64), found.others, below, sizes)


def _tell(folder: Path, classes: Sequence[_Class]) -> None:
    others = sum((found.others for found in classes), Counter[str]())
    below = sum(found.below for found in classes)
    loose = len(images_in(folder, deep=False).names)
    kinds = ", ".join(f"{count} {suffix or 'without an ending'}" for suffix, count in others.most_common(3))
    for line in (
        f"files in class folders that are not read as images: {others.total()} ({kinds})" if others else "",
        f"images in folders of class folders, taken to be of the class above: {below}" if below else "",
        f"images beside the class folders, which are not read: {loose}" if loose else "",
    ):
        if line:
            warnings.warn(DataWarning(f"{folder}: {line}"), stacklevel=3)


def class_folders(folder: Path) -> list[str]:
    """Return the names of the folders in a folder, sorted; hidden ones are left out, and what archives add."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not _is_hidden(entry.name))


def images_in(folder: Path, *, deep: bool = True) -> Listed:
    """Return the images of a folder, also those in its folders unless they are not wanted."""
    others: Counter[str] = Counter()
    files: list[tuple[str, State]] = []
    try:
        for name, entry in _files_in(folder, "", deep):
            if name.lower().endswith(SUFFIXES):
                files.append((name, state_of(entry)))
            else:
                others[Path(name).suffix.lower()] += 1
    except OSError as error:
        raise DataError(f"{folder} cannot be listed: {error}") from error
    files.sort()
    for name in (folder.name, *(name for name, _ in files)):
        try:
            name.encode()
        except UnicodeEncodeError as error:  # Arrow and the fingerprint take no other
            raise DataError(f"the name of a file or folder must be UTF-8, got {name!r}") from error
    return Listed([name for name, _ in files], [state for _, state in files], others)


def _files_in(
    folder: Path | str, below: str, deep: bool, above: tuple[os.stat_result, ...] = ()
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    here = Path(folder).stat()
    if any(os.path.samestat(here, other) for other in above):
        raise DataError(f"{folder} is a link to a folder above it, whose images would count more than once")
    with os.scandir(folder) as entries:
        for entry in entries:
            if _is_hidden(entry.name):
                continue
            if not entry.is_dir():
                yield below + entry.name, entry
            elif deep:
                yield from _files_in(entry.path, f"{below}{entry.name}/", deep, (*above, here))


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "@eaDir")
