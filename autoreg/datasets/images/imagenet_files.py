"""Finds ImageNet in each form in which people have it, and reads single images of it."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from PIL import Image
from torch import Tensor

from autoreg.datasets.images.cache import cache_folder, hash_texts
from autoreg.datasets.images.content import Files
from autoreg.datasets.images.data_folder import count_classes, data_folder, require_same_classes
from autoreg.datasets.images.encoded import EncodedImages, open_image
from autoreg.datasets.images.image_folders import SUFFIXES, FolderImages, class_folders, images_in, labelled_folders
from autoreg.datasets.images.parquet_columns import Columns, find_columns
from autoreg.datasets.images.parquet_files import LabelledParquet
from autoreg.datasets.images.parquet_shards import find_parts
from autoreg.errors import DataError, first_line
from autoreg.files import hold, write_atomically

#: Where Kaggle's archive keeps `train` and `val`, and its labels of the latter.
KAGGLE = "Data/CLS-LOC"
SOLUTION = "LOC_val_solution.csv"
ADVICE = "`test: train` holds test images out of the training images"


@dataclass(frozen=True)
class Source:
    """The images that were found.

    Attributes:
        train: the training images.
        val: the validation images, or None if they were not asked for.
        classes: number of classes; labels number them in the order of their names (synsets).
        fingerprint: hash of the labels and of what tells the files apart (`Files.contents`).
        earlier: hash of the files' names and sizes, and of Parquet files' footers, which earlier versions looked at;
            none if these may have seen other pixels or labels.
    """

    train: EncodedImages
    val: EncodedImages | None
    classes: int
    fingerprint: str
    earlier: tuple[str, ...]

    @classmethod
    def of(cls, parts: Mapping[str, "FolderImages | ParquetImages"], classes: int) -> "Source":
        """Return the images of `train`, and of `val` if they were asked for."""
        fingerprint, earlier = (
            hash_texts(getattr(images, form) for images in parts.values()) for form in ("fingerprint", "earlier")
        )
        known = (earlier,) if all(images.are_as_before for images in parts.values()) else ()
        return cls(parts["train"], parts.get("val"), classes, fingerprint, known)


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
    base = data_folder(root, folder, "ImageNet")
    for parent in (base, base / KAGGLE, base / "ILSVRC" / KAGGLE):
        if (parent / "train").is_dir():
            return _from_folders(base, parent, with_val)
    if files := find_parts(base, base / "data"):
        return _from_parquet(files, with_val)
    raise DataError(f"no ImageNet in {base}: looked for train/, {KAGGLE}/train/, ILSVRC/ and train-*.parquet")


def _from_parquet(files: Mapping[str, list[Path]], with_val: bool) -> Source:
    folder = files["train"][0].parent
    columns = find_columns(files["train"], "image", "label")
    parts = {"train": ParquetImages.load(files["train"], columns, "train")}
    if with_val:
        val = files.get("validation") or files.get("test")  # the hub's own `test-*` has no labels, but copies of it may
        if val is None:
            raise DataError(f"{folder} has no validation-*.parquet or test-*.parquet; {ADVICE}")
        parts["val"] = ParquetImages.load(val, columns, "val")
    classes = count_classes({part: images.labels for part, images in parts.items()}, folder, columns.classes)
    return Source.of(parts, classes)


def _from_folders(base: Path, folder: Path, with_val: bool) -> Source:
    parts = {"train": labelled_folders(folder / "train")}
    if with_val:
        val = folder / "val"
        if not val.is_dir():
            raise DataError(f"{folder} has no val/; {ADVICE}")
        parts["val"] = labelled_folders(val) if class_folders(val) else _flat(val, _find_solution(base, folder))
    require_same_classes({part: images.classes for part, images in parts.items()}, folder)
    return Source.of(parts, len(parts["train"].classes))


def _flat(folder: Path, solution: Path) -> FolderImages:
    """Return images that lie in one folder, with Kaggle's labels of them."""
    files = images_in(folder)
    if not files.names:
        raise DataError(f"{folder} has no images ({', '.join(SUFFIXES)})")
    synsets = _read_solution(solution)
    missing = [name for name in files.names if name.split(".")[0] not in synsets]
    if missing:
        raise DataError(f"{solution} has no label for {folder / missing[0]}")
    truth = [synsets[name.split(".")[0]] for name in files.names]
    classes = sorted(set(truth))
    index = {name: label for label, name in enumerate(classes)}
    labelled = zip(files.names, files.states, truth, strict=True)
    earlier = hash_texts(f"{name}:{state[0]}:{synset}" for name, state, synset in labelled)
    labels = torch.tensor([index[name] for name in truth])
    listed = Files(folder, pa.array(files.names), np.array(files.states, np.int64))
    return FolderImages.of(listed, labels, classes, earlier)


def _find_solution(base: Path, beside: Path) -> Path:
    """Return Kaggle's labels of a flat `val`, which lie beside it or further up in the data's folder."""
    for folder in (beside, *beside.parents):
        if (folder / SOLUTION).is_file():
            return folder / SOLUTION
        if folder == base:
            break
    raise DataError(
        f"{beside / 'val'} has images but no class folders: put Kaggle's {SOLUTION} into {base}, or sort the images "
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


#: Of the copies that are kept of Parquet files.
_SCHEMA = pa.schema([("bytes", pa.binary())])


@dataclass(frozen=True)
class ParquetImages:
    """Images of Parquet files with the columns image = struct(bytes, path) and label = int64.

    A Parquet file gives no single image without the hundreds around it. So the encoded images are copied once into
    an uncompressed Arrow file in the cache folder, row group by row group, and that is memory-mapped: it takes as much
    disk as the Parquet files (about 140 GB for all training images), and no memory.

    Attributes:
        name: what messages call them.
        encoded: the images' bytes, on disk.
        labels: int64, [images], as the files have them.
        fingerprint: hash of what tells the files apart.
        earlier: hash of the files' names, sizes and footers.
        renumbered: whether a file numbers its classes otherwise than the first for training does.
    """

    name: str
    encoded: pa.ChunkedArray
    labels: Tensor
    fingerprint: str
    earlier: str
    renumbered: bool

    @classmethod
    def load(cls, paths: list[Path], columns: Columns, part: str) -> "ParquetImages":
        """Return the images of Parquet files, copied to the cache if they are not there yet.

        Raises:
            DataError: a file is damaged or has other columns, an image has no label, or the disk is full.
        """
        files = LabelledParquet.load(paths, columns)
        cached = cache_folder() / f"imagenet-{part}-{files.content}.arrow"
        if not cached.is_file():
            # Of several workers that start at once, one copies and the others wait for it.
            with hold(cached.with_name(f".{cached.name}.lock")):
                if not cached.is_file():
                    write_atomically(cached, lambda temporary: _copy(files, temporary))
        try:
            table = pa.ipc.open_file(pa.memory_map(str(cached))).read_all()
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{cached} is damaged: {first_line(error)}; delete it") from error
        name = f"the {part} files in {paths[0].parent}"
        return cls(name, table["bytes"], files.labels, files.content, files.footers, files.renumbered)

    @property
    def are_as_before(self) -> bool:
        """Whether earlier versions saw the same pixels and labels: a thousand images are JPEG."""
        rows = range(0, len(self.labels), max(1, len(self.labels) // 1000))
        return not self.renumbered and all(self.encoded[row].as_py().startswith(b"\xff\xd8") for row in rows)

    def open(self, row: int) -> Image.Image:
        """Return an image, decoded. Raises DataError, naming it, if it cannot be read."""
        return open_image(self.encoded[row].as_py(), f"image in row {row} of {self.name}")


def _copy(files: LabelledParquet, target: Path) -> None:
    try:
        with pa.OSFile(str(target), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
            for _, _, encoded in files.chunks():
                writer.write_batch(pa.record_batch([encoded], schema=_SCHEMA))
    except OSError as error:
        raise DataError(f"{files.paths[0].parent} cannot be copied to {target.parent}: {first_line(error)}") from error
