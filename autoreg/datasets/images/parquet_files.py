"""Images and their labels in Parquet files."""

import hashlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from PIL import Image
from torch import Tensor

from autoreg.datasets.images.cache import CHUNK, hash_texts
from autoreg.datasets.images.content import Files
from autoreg.datasets.images.encoded import open_image
from autoreg.datasets.images.parquet_columns import Columns, find_columns
from autoreg.errors import DataError, DataWarning, first_line


@dataclass(frozen=True)
class LabelledParquet:
    """The images of a split.

    Attributes:
        paths: its files.
        columns: where the images and labels are.
        labels: int64, [images].
        renumbered: whether a file numbers its classes otherwise than the first for training does.
        content: hash of what tells the files apart (`Files.contents`).
        footers: hash of the files' names, sizes and footers, which earlier versions looked at.
    """

    paths: list[Path]
    columns: Columns
    labels: Tensor
    renumbered: bool
    content: str
    footers: str

    @classmethod
    def load(cls, paths: list[Path], columns: Columns) -> "LabelledParquet":
        """Return the labels of some files, each read as the file describes them; images stay on disk.

        Args:
            paths: the files.
            columns: those of the first file for training, whose classes labels number.

        Raises:
            DataError: a file is damaged, has other columns or classes, or the content of another file; there are no
                images, or one has no label.

        Warns:
            DataWarning: some files name their classes and others do not.
        """
        orders = [_order(path, columns) for path in paths]
        labels = torch.cat([_labels(path, columns, order) for path, order in zip(paths, orders, strict=True)])
        if not len(labels):
            raise DataError(f"{paths[0]} has no images")
        contents = Files.of(paths[0].parent, paths).contents()
        first = {content: path for path, content in zip(reversed(paths), reversed(contents), strict=True)}
        if same := [
            (first[content], path) for path, content in zip(paths, contents, strict=True) if first[content] != path
        ]:
            raise DataError(f"{same[0][0]} and {same[0][1].name} have the same content; keep one of them")
        return cls(paths, columns, labels, any(orders), hash_texts(contents), _hash_footers(paths))

    @property
    def fingerprint(self) -> str:
        """The hash of the files' content and of which columns count."""
        return hash_texts([self.content, self.columns.image, self.columns.label])

    @property
    def earlier(self) -> str:
        """What earlier versions, which read the labels as they are numbered, took for it."""
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


def _order(path: Path, columns: Columns) -> list[int]:
    """Return which class each label of a file means, or nothing if it numbers them as it should."""
    here = find_columns([path], columns.image, columns.label)
    if here.are_texts != columns.are_texts:
        kinds = [("texts" if each.are_texts else "numbers") for each in (here, columns)]
        raise DataError(f"{path}: labels in column {columns.label!r} are {kinds[0]}, those of others are {kinds[1]}")
    if columns.are_texts:
        return []
    names = here.classes
    if bool(names) != bool(columns.classes):
        there = "names its classes, and others do not" if names else "does not name its classes, and others do"
        warnings.warn(DataWarning(f"{path} {there}; all are taken to number them alike"), stacklevel=2)
    if all(name == other for name, other in zip(names, columns.classes, strict=False)):
        return []
    if len(set(columns.classes)) < len(columns.classes):
        raise DataError(f"{path} numbers its classes otherwise than the training files, where two have one name")
    return [columns.classes.index(name) if name in columns.classes else -1 for name in names]


def _labels(path: Path, columns: Columns, order: Sequence[int]) -> Tensor:
    try:
        column = pq.read_table(path, columns=[columns.label])[columns.label]
        if columns.are_texts:
            column = column.cast(pa.string())
            numbers = pc.index_in(column, value_set=pa.array(columns.classes, pa.string()))
        else:
            numbers = column.cast(pa.int64())
    except (pa.ArrowException, KeyError, OSError) as error:
        raise DataError(f"{path} has no labels in a column {columns.label!r}: {first_line(error)}") from error
    labels = torch.from_numpy(numbers.cast(pa.int64()).fill_null(-1).to_numpy().copy())
    if len(unlabelled := (labels < 0).nonzero()):
        row = int(unlabelled[0])
        got = column[row].as_py()
        if isinstance(got, str):
            raise DataError(f"{path}: the class of the image in row {row} is none of the training files: {got}")
        raise DataError(
            f"{path}: the image in row {row} has no label, got {got}; a split without labels must lie elsewhere"
        )
    if order and len(labels):
        highest = int(labels.max())
        labels = torch.tensor([*order, *[-1] * (highest + 1 - len(order))])[labels]
        if len(other := (labels < 0).nonzero()):
            row = int(other[0])
            raise DataError(f"{path}: the class of the image in row {row} is none of the training files: {column[row]}")
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
