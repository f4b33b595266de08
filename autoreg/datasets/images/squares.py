"""Images of any size as squares of one size: decoded once, and held as bytes."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from autoreg.datasets.images.cache import CHUNK, cached_array
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

    def crop(self, image: Image.Image) -> np.ndarray[Any, Any]:
        """Return the middle of an image, uint8 [channels, size, size], its shorter side resized to `size`."""
        square = ImageOps.fit(ImageOps.exif_transpose(image), (self.size, self.size), Image.Resampling.BILINEAR)
        return np.atleast_3d(np.asarray(square if self.channels == 3 else square.convert("L"))).transpose(2, 0, 1)


def decoded_once(path: Path, count: int, squares: Squares, images: Iterable[Callable[[], Image.Image]]) -> Tensor:
    """Return all images, uint8, [images, channels, size, size], decoded for this and every later process.

    Args:
        path: the file of the cache that keeps them; its name says what of.
        count: how many there are.
        squares: what each is made to.
        images: what decodes each, in order.

    Raises:
        DataError: an image cannot be read, or the cache is damaged.
    """
    shape = (count, squares.channels, squares.size, squares.size)
    if not path.is_file():
        write_atomically(path, partial(_decode, shape=shape, squares=squares, images=images))
    return torch.from_numpy(cached_array(path, shape, np.uint8, mmap_mode="c"))


def _decode(path: Path, shape: tuple[int, ...], squares: Squares, images: Iterable[Callable[[], Image.Image]]) -> None:
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)

    def decode(row: int, image: Callable[[], Image.Image]) -> None:
        array[row] = squares.crop(image())

    numbered = enumerate(images)
    with ThreadPoolExecutor() as pool:
        while chunk := list(islice(numbered, CHUNK)):  # not more at a time, since their files are in memory
            list(pool.map(decode, *zip(*chunk, strict=True)))
    array.flush()
