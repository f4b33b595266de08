"""Finds ImageNet in each form in which people have it, and reads single pictures of it."""

import csv
import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import torch
from torch import Tensor

from autoreg.datasets.imagenet_parquet import ParquetPictures, parquet_parts
from autoreg.datasets.streamed import EncodedPictures
from autoreg.errors import DataError

#: Where Kaggle's archive keeps `train` and `val`, and its labels of the latter.
KAGGLE = "Data/CLS-LOC"
SOLUTION = "LOC_val_solution.csv"
SUFFIXES = (".jpeg", ".jpg", ".png")


@dataclass(frozen=True)
class Source:
    """The pictures that were found.

    Attributes:
        train: the training pictures.
        val: the validation pictures, or None if they were not asked for.
        classes: number of classes; labels number them in the order of their names (synsets).
        fingerprint: hash of the files' names and sizes, and of Parquet files' footers; not of every byte.
    """

    train: EncodedPictures
    val: EncodedPictures | None
    classes: int
    fingerprint: str


def find_pictures(root: Path | None, folder: str, *, with_val: bool) -> Source:
    """Return the pictures in a folder below the data root, with or without its validation pictures.

    The folder holds one of:

    - `train/<synset>/*.JPEG` and `val/<synset>/*.JPEG`;
    - Kaggle's archive, `Data/CLS-LOC/train` and `Data/CLS-LOC/val` (also in `ILSVRC/`), whose flat `val` is labelled by
      `LOC_val_solution.csv`;
    - the Hugging Face hub's Parquet, `train-*.parquet` and `validation-*.parquet` (also in `data/`). On first use the
      encoded pictures are copied to the cache (`ParquetPictures`), which takes as much disk again.

    Raises:
        DataError: there is no such folder, or something in it is missing or damaged.
    """
    if root is None:
        raise DataError("ImageNet needs files: set AUTOREG_DATA or dataset.root")
    base = root / folder
    if not base.is_dir():
        raise DataError(f"the folder {base} does not exist (option `folder` below AUTOREG_DATA or dataset.root)")
    for place in (base, base / KAGGLE, base / "ILSVRC" / KAGGLE):
        if (place / "train").is_dir():
            return _from_folders(base, place, with_val)
    for place in (base, base / "data"):
        if any(place.glob("train-*.parquet")):
            return _from_parquet(place, with_val)
    raise DataError(f"no ImageNet in {base}: looked for train/, {KAGGLE}/train/, ILSVRC/ and train-*.parquet")


def _from_parquet(place: Path, with_val: bool) -> Source:
    found = {part: ParquetPictures.load(paths, part) for part, paths in parquet_parts(place, with_val).items()}
    highest = {part: int(pictures.labels.max()) for part, pictures in found.items()}
    if highest.get("val", 0) > highest["train"]:
        raise DataError(
            f"{place}: classes of train and val differ: labels up to {highest['train']} and {highest['val']}"
        )
    fingerprint = _joined(pictures.fingerprint for pictures in found.values())
    return Source(found["train"], found.get("val"), highest["train"] + 1, fingerprint)


def _from_folders(base: Path, place: Path, with_val: bool) -> Source:
    train = _labelled_folders(place / "train")
    found = [train]
    if with_val:
        if not (place / "val").is_dir():
            raise DataError(f"{place} has no val/; `test: train` holds test pictures out of the training pictures")
        folder = place / "val"
        val = _labelled_folders(folder) if _class_folders(folder) else _flat(folder, _find_solution(base, place))
        if val.classes != train.classes:
            odd = sorted(set(val.classes) ^ set(train.classes))
            raise DataError(
                f"{place}: classes of train/ and val/ differ, {len(train.classes)} and {len(val.classes)}; "
                f"only in one of them: {', '.join(odd[:3])}{', …' if len(odd) > 3 else ''}"
            )
        found.append(val)
    fingerprint = _joined(part.fingerprint for part in found)
    return Source(train, found[1] if with_val else None, len(train.classes), fingerprint)


@dataclass(frozen=True)
class FolderPictures:
    """Pictures that are files of a folder.

    Attributes:
        folder: where they lie.
        names: their paths below it, in one buffer, since a million Python texts take ten times as much.
        labels: int64, [pictures], indices into `classes`.
        classes: names of the classes (synsets), sorted.
        fingerprint: hash of names and sizes.
    """

    folder: Path
    names: pa.StringArray
    labels: Tensor
    classes: list[str]
    fingerprint: str

    def read(self, row: int) -> bytes:
        """Return the bytes of one picture's file."""
        return self._path(row).read_bytes()

    def name(self, row: int) -> str:
        """Return a picture's path."""
        return str(self._path(row))

    def _path(self, row: int) -> Path:
        return self.folder / str(self.names[row].as_py())


def _labelled_folders(folder: Path) -> FolderPictures:
    classes = _class_folders(folder)
    if not classes:
        raise DataError(f"{folder} has no class folders, one for each synset such as n01440764")

    def listed(name: str) -> tuple[pa.StringArray, str]:
        found = _pictures_in(folder / name)
        if not found:
            raise DataError(f"class folder {folder / name} has no pictures ({', '.join(SUFFIXES)})")
        return pa.array([f"{name}/{file}" for file, _ in found]), _joined(f"{file}:{size}" for file, size in found)

    with ThreadPoolExecutor() as pool:  # a million files: asking for their sizes waits for the disk
        names, fingerprints = zip(*pool.map(listed, classes), strict=True)
    labels = torch.repeat_interleave(torch.arange(len(classes)), torch.tensor([len(part) for part in names]))
    return FolderPictures(folder, pa.concat_arrays(names), labels, classes, _joined([*classes, *fingerprints]))


def _flat(folder: Path, solution: Path) -> FolderPictures:
    """Return pictures that lie in one folder, with Kaggle's labels of them."""
    found = _pictures_in(folder)
    if not found:
        raise DataError(f"{folder} has no pictures ({', '.join(SUFFIXES)})")
    synsets = _read_solution(solution)
    missing = [name for name, _ in found if name.split(".")[0] not in synsets]
    if missing:
        raise DataError(f"{solution} has no label for {folder / missing[0]}")
    truth = [synsets[name.split(".")[0]] for name, _ in found]
    classes = sorted(set(truth))
    index = {name: label for label, name in enumerate(classes)}
    labelled = zip(found, truth, strict=True)
    fingerprint = _joined(f"{name}:{size}:{synset}" for (name, size), synset in labelled)
    labels = torch.tensor([index[name] for name in truth])
    return FolderPictures(folder, pa.array([name for name, _ in found]), labels, classes, fingerprint)


def _class_folders(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def _pictures_in(folder: Path) -> list[tuple[str, int]]:
    """Return the names and sizes of a folder's pictures, sorted."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(
                (entry.name, entry.stat().st_size)
                for entry in entries
                if entry.name.lower().endswith(SUFFIXES) and not entry.name.startswith(".")
            )
    except OSError as error:
        raise DataError(f"{folder} cannot be listed: {error}") from error
    _require_utf8([folder.name, *(name for name, _ in found)])
    return found


def _require_utf8(names: Iterable[str]) -> None:
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:  # Arrow and the fingerprint take no other
            raise DataError(f"the name of a file or folder must be UTF-8, got {name!r}") from error


def _find_solution(base: Path, place: Path) -> Path:
    """Return Kaggle's labels of a flat `val`, which lie beside it or further up in the data's folder."""
    for folder in (place, *place.parents):
        if (folder / SOLUTION).is_file():
            return folder / SOLUTION
        if folder == base:
            break
    raise DataError(
        f"{place / 'val'} has pictures but no class folders: put Kaggle's {SOLUTION} into {base}, or sort the pictures "
        "into val/<synset>/, or use `test: train`"
    )


def _read_solution(path: Path) -> dict[str, str]:
    """Return the synset of each picture of Kaggle's file: rows such as `ILSVRC2012_val_00000001,n01751748 1 2 3 4 `."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        try:
            return {row["ImageId"]: row["PredictionString"].split()[0] for row in rows}
        except (KeyError, IndexError, AttributeError, UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{path}: should have columns ImageId, PredictionString (a synset and boxes)") from error


def _joined(parts: Iterable[str]) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()
