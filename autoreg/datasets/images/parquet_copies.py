"""Finds Parquet files that hold the same images as another, written otherwise."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pyarrow.parquet as pq
import torch

from autoreg.datasets.images.parquet_files import LabelledParquet
from autoreg.errors import DataError


def refuse_copies(tables: Iterable[LabelledParquet]) -> None:
    """Raise DataError if two files have the same labels, and the same images in the same order.

    Images are read of files with the same labels only, up to the first one that differs.
    """
    alike: defaultdict[bytes, list[LabelledParquet]] = defaultdict(list)  # of one file each, by their labels
    for table in tables:
        counts = [pq.read_metadata(path).num_rows for path in table.paths]
        for path, labels in zip(table.paths, torch.split(table.labels, counts), strict=True):
            file = replace(table, paths=[path], labels=labels)
            others = alike[labels.numpy().tobytes()]
            for other in others if len(labels) else ():
                if all(one == two for one, two in zip(_images(other), _images(file), strict=True)):
                    raise DataError(f"{other.paths[0]} and {path.name} have the same images; keep one of them")
            others.append(file)


def _images(file: LabelledParquet) -> Iterator[bytes]:
    for _, _, encoded in file.chunks():
        yield from (image.as_py() for image in encoded)
