"""ImageNet from the Hugging Face hub's Parquet files, whose images are copied to a file that can be read anywhere."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from PIL import Image
from torch import Tensor

from autoreg.datasets.images.cache import cache_folder
from autoreg.datasets.images.encoded import open_image
from autoreg.datasets.images.parquet_files import LabelledParquet, find_columns
from autoreg.errors import DataError, first_line
from autoreg.files import hold, write_atomically

_SCHEMA = pa.schema([("bytes", pa.binary())])


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
        files = LabelledParquet.load(paths, find_columns(paths[0], "image", "label"))
        cached = cache_folder() / f"imagenet-{part}-{files.footers}.arrow"
        if not cached.is_file():
            # Of several workers that start at once, one copies and the others wait for it.
            with hold(cached.with_name(f".{cached.name}.lock")):
                if not cached.is_file():
                    write_atomically(cached, lambda temporary: _copy(files, temporary))
        try:
            table = pa.ipc.open_file(pa.memory_map(str(cached))).read_all()
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{cached} is damaged: {first_line(error)}; delete it") from error
        return cls(paths[0].parent, part, table["bytes"], files.labels, files.footers)

    def open(self, row: int) -> Image.Image:
        """Return an image, decoded. Raises DataError, naming it, if it cannot be read."""
        name = f"image in row {row} of the {self.part} files in {self.folder}"
        return open_image(self.encoded[row].as_py(), name)


def _copy(files: LabelledParquet, target: Path) -> None:
    try:
        with pa.OSFile(str(target), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
            for _, _, encoded in files.chunks():
                writer.write_batch(pa.record_batch([encoded], schema=_SCHEMA))
    except OSError as error:
        raise DataError(f"{files.paths[0].parent} cannot be copied to {target.parent}: {first_line(error)}") from error
