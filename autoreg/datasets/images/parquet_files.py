"""Finds images and their labels in Parquet files, by the types of the columns."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image
from torch import Tensor

from autoreg.datasets.images.cache import CHUNK, hash_texts
from autoreg.datasets.images.content import Files
from autoreg.datasets.images.encoded import open_image
from autoreg.errors import DataError, first_line

#: What people call the files of the splits.
FILES = {"train": ("train",), "validation": ("validation", "val", "valid"), "test": ("test",)}


def find_parts(*folders: Path) -> dict[str, list[Path]]:
    """Return the files of each split, in order, in the first folder that has some for training; of none if none has."""
    for folder in folders:
        parts = {part: _files(folder, names) for part, names in FILES.items()}
        if parts["train"]:
            return {part: paths for part, paths in parts.items() if paths}
    return {}


def _files(folder: Path, names: Sequence[str]) -> list[Path]:
    return sorted(path for name in names for end in ("", "-*") for path in folder.glob(f"{name}{end}.parquet"))


@dataclass(frozen=True)
class Columns:
    """Which columns hold the images and their labels.

    Attributes:
        image: by name; a struct with an image's file as `bytes`, or the file itself.
        label: by name.
        classes: their names, where the files have them.
    """

    image: str
    label: str
    classes: tuple[str, ...] = ()

    def names(self, count: int) -> Sequence[str]:
        """Return what each of so many labels is called."""
        return self.classes if len(self.classes) >= count else [str(label) for label in range(count)]


def find_columns(path: Path, image: str | None, label: str | None) -> Columns:
    """Return the columns of images and labels: those named, else the only ones of their type.

    Labels are what the hub's description in the file calls `ClassLabel`, else integers.

    Raises:
        DataError: the file is damaged, a named column is not there or of another type, or several may be meant.
    """
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is damaged: {first_line(error)}") from error
    features = _features(schema)
    images = [field.name for field in schema if _is_image(field.type)]
    integers = [field.name for field in schema if pa.types.is_integer(field.type)]
    described = [name for name in integers if features.get(name, {}).get("_type") == "ClassLabel"]
    chosen = _chosen(path, "image", image, images, "files of images (struct with bytes, or binary)")
    labels = _chosen(path, "label", label, described if described and label is None else integers, "integers")
    names = features.get(labels, {}).get("names")
    classes = tuple(map(str, names)) if isinstance(names, list) else ()
    return Columns(chosen, labels, classes)


def _chosen(path: Path, option: str, wanted: str | None, there: list[str], kind: str) -> str:
    if wanted is not None and wanted in there:
        return wanted
    known = ", ".join(there) or "none"
    if wanted is not None:
        raise DataError(f"{path} has no column {wanted!r} of {kind}; there are: {known}")
    if len(there) == 1:
        return there[0]
    if not there:
        raise DataError(f"{path} has no column of {kind}")
    raise DataError(f"{path} has several columns of {kind}; say which by the option `{option}`: {known}")


def _features(schema: pa.Schema) -> dict[str, dict[str, object]]:
    """Return the hub's description of the columns, or nothing."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {name: feature for name, feature in features.items() if isinstance(feature, dict)}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _is_image(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        index = kind.get_field_index("bytes")
        return index >= 0 and _is_image(kind.field(index).type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


@dataclass(frozen=True)
class LabelledParquet:
    """The images of a split.

    Attributes:
        paths: its files.
        columns: where the images and labels are.
        labels: int64, [images].
        content: hash of what tells the files apart (`Files.contents`).
        footers: hash of the files' names, sizes and footers, which earlier versions looked at.
    """

    paths: list[Path]
    columns: Columns
    labels: Tensor
    content: str
    footers: str

    @classmethod
    def load(cls, paths: list[Path], columns: Columns) -> "LabelledParquet":
        """Return the labels of some files; images stay on disk.

        Raises:
            DataError: a file is damaged or has other columns, there are no images, or one has no label.
        """
        for path in paths:
            find_columns(path, columns.image, columns.label)
        labels = torch.cat([_labels(path, columns) for path in paths])
        if not len(labels):
            raise DataError(f"{paths[0]} has no images")
        content = hash_texts(Files.of(paths[0].parent, paths).contents())
        return cls(paths, columns, labels, content, _hash_footers(paths))

    @property
    def fingerprint(self) -> str:
        """The hash of the files' content and of which columns count."""
        return hash_texts([self.content, self.columns.image, self.columns.label])

    @property
    def earlier(self) -> str:
        """What earlier versions took for it."""
        return hash_texts([self.footers, self.columns.image, self.columns.label])

    def chunks(self) -> Iterator[tuple[Path, int, pa.Array]]:
        """Yield images as their files' bytes, a few at a time, each time after the file and the row that they start at.

        Raises:
            DataError: a file is damaged, or there is no image in a row.
        """
        for path in self.paths:
            start = 0
            try:
                with pq.ParquetFile(path) as file:
                    for batch in file.iter_batches(CHUNK, columns=[self.columns.image]):
                        column = batch.column(0)
                        files = column.field("bytes") if pa.types.is_struct(column.type) else column
                        encoded = files.cast(pa.binary())
                        if encoded.null_count:
                            row = start + encoded.is_null().index(True).as_py()
                            raise DataError(f"{path}: there is no image in row {row}")
                        yield path, start, encoded
                        start += len(batch)
            except (pa.ArrowException, KeyError, OSError) as error:
                raise DataError(f"{path} is damaged: {first_line(error)}") from error

    def images(self, size: tuple[int, int] | None = None) -> Iterator[Callable[[], Image.Image]]:
        """Yield what decodes each image, of the given size or any; see `open_image`."""
        for path, start, encoded in self.chunks():
            for row, content in enumerate(encoded, start):
                yield partial(open_image, content.as_py(), f"image in row {row} of {path}", size)


def _labels(path: Path, columns: Columns) -> Tensor:
    try:
        column = pq.read_table(path, columns=[columns.label])[columns.label].cast(pa.int64())
    except (pa.ArrowException, KeyError, OSError) as error:
        raise DataError(f"{path} has no labels in a column {columns.label!r}: {first_line(error)}") from error
    labels = torch.from_numpy(column.fill_null(-1).to_numpy().copy())
    if len(unlabelled := (labels < 0).nonzero()):
        row = int(unlabelled[0])
        got = column[row].as_py()
        raise DataError(
            f"{path}: the image in row {row} has no label, got {got}; a split without labels must lie elsewhere"
        )
    return labels


def _hash_footers(paths: list[Path]) -> str:
    """Return the hash of Parquet files' names, sizes and footers, which say where each column lies and its extremes."""
    digest = hashlib.blake2b(digest_size=8)
    for path in paths:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 8))
            file.seek(max(0, size - 8 - int.from_bytes(file.read(4), "little")))
            digest.update(f"{path.name}:{size}\n".encode() + file.read())
    return digest.hexdigest()
