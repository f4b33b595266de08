"""Finds ImageNet in each form in which people have it, and reads single images of it."""

import csv
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import torch

from autoreg.datasets.images.image_folders import (
    SUFFIXES,
    FolderImages,
    class_folders,
    images_in,
    joined,
    labelled_folders,
)
from autoreg.datasets.images.imagenet_parquet import ParquetImages, parquet_parts
from autoreg.datasets.images.streamed import EncodedImages
from autoreg.errors import DataError

#: Where Kaggle's archive keeps `train` and `val`, and its labels of the latter.
KAGGLE = "Data/CLS-LOC"
SOLUTION = "LOC_val_solution.csv"


@dataclass(frozen=True)
class Source:
    """The images that were found.

    Attributes:
        train: the training images.
        val: the validation images, or None if they were not asked for.
        classes: number of classes; labels number them in the order of their names (synsets).
        fingerprint: hash of the files' names and sizes, and of Parquet files' footers; not of every byte.
    """

    train: EncodedImages
    val: EncodedImages | None
    classes: int
    fingerprint: str


def find_images(root: Path | None, folder: str, *, with_val: bool) -> Source:
    """Return the images in a folder below the data root, with or without its validation images.

    The folder holds one of:

    - `train/<synset>/*.JPEG` and `val/<synset>/*.JPEG`;
    - Kaggle's archive, `Data/CLS-LOC/train` and `Data/CLS-LOC/val` (also in `ILSVRC/`), whose flat `val` is labelled by
      `LOC_val_solution.csv`;
    - the Hugging Face hub's Parquet, `train-*.parquet` and `validation-*.parquet` (also in `data/`). On first use the
      encoded images are copied to the cache (`ParquetImages`), which takes as much disk again.

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
    found = {part: ParquetImages.load(paths, part) for part, paths in parquet_parts(place, with_val).items()}
    highest = {part: int(images.labels.max()) for part, images in found.items()}
    if highest.get("val", 0) > highest["train"]:
        raise DataError(
            f"{place}: classes of train and val differ: labels up to {highest['train']} and {highest['val']}"
        )
    fingerprint = joined(images.fingerprint for images in found.values())
    return Source(found["train"], found.get("val"), highest["train"] + 1, fingerprint)


def _from_folders(base: Path, place: Path, with_val: bool) -> Source:
    train = labelled_folders(place / "train")
    found = [train]
    if with_val:
        if not (place / "val").is_dir():
            raise DataError(f"{place} has no val/; `test: train` holds test images out of the training images")
        folder = place / "val"
        val = labelled_folders(folder) if class_folders(folder) else _flat(folder, _find_solution(base, place))
        if val.classes != train.classes:
            odd = sorted(set(val.classes) ^ set(train.classes))
            raise DataError(
                f"{place}: classes of train/ and val/ differ, {len(train.classes)} and {len(val.classes)}; "
                f"only in one of them: {', '.join(odd[:3])}{', …' if len(odd) > 3 else ''}"
            )
        found.append(val)
    fingerprint = joined(part.fingerprint for part in found)
    return Source(train, found[1] if with_val else None, len(train.classes), fingerprint)


def _flat(folder: Path, solution: Path) -> FolderImages:
    """Return images that lie in one folder, with Kaggle's labels of them."""
    found = images_in(folder)
    if not found:
        raise DataError(f"{folder} has no images ({', '.join(SUFFIXES)})")
    synsets = _read_solution(solution)
    missing = [name for name, _ in found if name.split(".")[0] not in synsets]
    if missing:
        raise DataError(f"{solution} has no label for {folder / missing[0]}")
    truth = [synsets[name.split(".")[0]] for name, _ in found]
    classes = sorted(set(truth))
    index = {name: label for label, name in enumerate(classes)}
    labelled = zip(found, truth, strict=True)
    fingerprint = joined(f"{name}:{size}:{synset}" for (name, size), synset in labelled)
    labels = torch.tensor([index[name] for name in truth])
    return FolderImages(folder, pa.array([name for name, _ in found]), labels, classes, fingerprint)


def _find_solution(base: Path, place: Path) -> Path:
    """Return Kaggle's labels of a flat `val`, which lie beside it or further up in the data's folder."""
    for folder in (place, *place.parents):
        if (folder / SOLUTION).is_file():
            return folder / SOLUTION
        if folder == base:
            break
    raise DataError(
        f"{place / 'val'} has images but no class folders: put Kaggle's {SOLUTION} into {base}, or sort the images "
        "into val/<synset>/, or use `test: train`"
    )


def _read_solution(path: Path) -> dict[str, str]:
    """Return the synset of each image of Kaggle's file: rows such as `ILSVRC2012_val_00000001,n01751748 1 2 3 4 `."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        try:
            return {row["ImageId"]: row["PredictionString"].split()[0] for row in rows}
        except (KeyError, IndexError, AttributeError, UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{path}: should have columns ImageId, PredictionString (a synset and boxes)") from error
