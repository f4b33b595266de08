"""Images of any size as squares of one size: decoded once, and held as bytes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from autoreg.datasets.images.cache import CHUNK, cached_array
from autoreg.datasets.images.streamed import EncodedImages, StreamedSplit
from autoreg.files import write_atomically


@dataclass(frozen=True)
class Squares:
    """The middle of an image, as its camera was held.

    Attributes:
        size: side of the square.
        channels: 3 for red, green and blue; 1 for grey.
    """

    size: int
    channels: int = 3

    def draw(self, count: int, generator: torch.Generator) -> list[list[float]]:
        """Return no numbers: the middle of an image is no matter of chance."""
        return [[] for _ in range(count)]

    def crop(self, image: Image.Image, drawn: Sequence[float] | None) -> Image.Image:
        """Return the middle of an image, its shorter side resized to `size`; grey as three equal channels."""
        square = ImageOps.fit(ImageOps.exif_transpose(image), (self.size, self.size), Image.Resampling.BILINEAR)
        return square if self.channels == 3 else square.convert("L").convert("RGB")

    def decode(self, images: EncodedImages) -> Iterator[Tensor]:
        """Yield all in order, uint8, [batch, channels, size, size]. Raises DataError, naming the damaged image."""
        split = StreamedSplit(images, torch.arange(len(images.labels)), images.labels, self)
        for decoded, _ in split.batches(CHUNK):
            yield decoded[:, : self.channels]


def decoded_once(path: Path, count: int, squares: Squares, decode: Callable[[], Iterator[Tensor]]) -> Tensor:
    """Return all images, uint8, [images, channels, size, size], decoded for this and every later process.

    Args:
        path: the file of the cache that keeps them; its name says what of.
        count: how many there are.
        squares: what each is made to.
        decode: gives them in order, some at a time.

    Raises:
        DataError: an image cannot be read, or the cache is damaged.
    """
    shape = (count, squares.channels, squares.size, squares.size)
    if not path.is_file():
        write_atomically(path, partial(_save, batches=decode(), shape=shape))
    return torch.from_numpy(cached_array(path, shape, np.uint8, mmap_mode="c"))


def _save(path: Path, batches: Iterator[Tensor], shape: tuple[int, ...]) -> None:
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    done = 0
    for decoded in batches:
        array[done : done + len(decoded)] = decoded.numpy()
        done += len(decoded)
    array.flush()
