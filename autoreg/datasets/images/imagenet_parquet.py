"""ImageNet from the Hugging Face hub's Parquet files, whose images are copied to a file that can be read anywhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from autoreg.datasets.images.cache import CHUNK, cache_folder
from autoreg.datasets.images.fingerprint import hash_footers
from autoreg.errors import DataError, first_line
from autoreg.files import hold, write_atomically

#: What the files of a part may be called, the best first: the hub's `test-*` has no labels, but copies of it may.
PARTS = {"train": ["train"], "val": ["validation", "val", "test"]}
_SCHEMA = pa.schema([("bytes", pa.binary()), ("label", pa.int64())])


def parquet_parts(folder: Path, with_val: bool) -> dict[str, list[Path]]:
    """Return the files of `train` and, if asked for, of `val`. Raises DataError if there are none."""
    parts = {}
    for part in ("train", "val") if with_val else ("train",):
        candidates = [sorted(folder.glob(f"{name}-*.parquet")) for name in PARTS[part]]
        paths = next((paths for paths in candidates if paths), None)
        if paths is None:
            looked = ", ".join(f"{name}-*.parquet" for name in PARTS[part])
            raise DataError(f"{folder} has no {looked}; `test: train` holds test images out of the training images")
        parts[part] = paths
    return parts


@dataclass(frozen=True)
class ParquetImages:
    """Images of Parquet files with the columns image = struct(bytes, path) and label = int64.

    A Parquet file gives no single image without the hundreds around it. So the encoded images are copied once into
    an uncompressed Arrow file in the cache folder, row group by row group, and that is memory-mapped: it takes as much
    disk as the Parquet files (about 140 GB for all training images), and no memory.

    Attributes:
        folder: of the Parquet files.
        part: `train` or `val`.
        encoded: the images' bytes, on disk.
        labels: int64, [images], as the files have them.
        fingerprint: hash of the files' names, sizes and footers.
    """

    folder: Path
    part: str
    encoded: pa.ChunkedArray
    labels: Tensor
    fingerprint: str

    @classmethod
    def load(cls, paths: list[Path], part: str) -> "ParquetImages":
        """Return the images of Parquet files, copied to the cache if they are not there yet.

        Raises:
            DataError: a file is damaged or has other columns, an image has no label, or the disk is full.
        """
        fingerprint = hash_footers(paths)
        cached = cache_folder() / f"imagenet-{part}-{fingerprint}.arrow"
        if not cached.is_file():
            # Of several workers that start at once, one copies and the others wait for it.
            with hold(cached.with_name(f".{cached.name}.lock")):
                if not cached.is_file():
                    write_atomically(cached, partial(_copy, paths))
        try:
            table = pa.ipc.open_file(pa.memory_map(str(cached))).read_all()
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{cached} is damaged: {first_line(error)}; delete it") from error
        if not len(table):
            raise DataError(f"{paths[0].parent} has no images in its {part} files")
        labels = torch.from_numpy(table["label"].to_numpy().copy())
        return cls(paths[0].parent, part, table["bytes"], labels, fingerprint)

    def read(self, row: int) -> bytes:
        """Return the bytes of one image's file."""
        content: bytes = self.encoded[row].as_py()
        return content

    def name(self, row: int) -> str:
        """Return where an image stands."""
        return f"image in row {row} of the {self.part} files in {self.folder}"


def _copy(paths: list[Path], target: Path) -> None:
    with pa.OSFile(str(target), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
        for path in paths:
            try:
                for batch in _batches(path):
                    writer.write_batch(batch)
            except (pa.ArrowException, KeyError, AttributeError) as error:
                raise DataError(f"{path}: not the Parquet layout `image`, `label`: {first_line(error)}") from error
            except OSError as error:
                raise DataError(f"{path} cannot be copied to {target.parent}: {first_line(error)}") from error


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        start = 0
        for batch in file.iter_batches(CHUNK, columns=["image.bytes", "label"]):
            encoded = batch.column("image").field("bytes").cast(pa.binary())
            labels = batch.column("label").cast(pa.int64())
            for row, label in enumerate(labels.to_pylist(), start):
                if label is None or label < 0:
                    raise DataError(f"{path}: the image in row {row} has no label, got {label}")
            if encoded.null_count:
                raise DataError(f"{path}: there is no image in row {start + encoded.is_null().index(True).as_py()}")
            yield pa.record_batch([encoded, labels], schema=_SCHEMA)
            start += len(labels)
