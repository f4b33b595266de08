"""Images of any size as squares of one size: decoded once, held as bytes, and cropped at random in training."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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

    def write(temporary: Path) -> None:
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
        numbered = enumerate(images)

        def decode(row: int, image: Callable[[], Image.Image]) -> None:
            array[row] = squares.crop(image())

        with ThreadPoolExecutor() as pool:
            while chunk := list(islice(numbered, CHUNK)):  # not more at a time, since their files are in memory
                list(pool.map(decode, *zip(*chunk, strict=True)))
        array.flush()

    if not path.is_file():
        write_atomically(path, write)
    return torch.from_numpy(cached_array(path, shape, np.uint8, mmap_mode="c"))


def random_crops(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Return a random side×side part of each image as floats, flipped half of the time."""
    count, device, offsets = len(images), images.device, images.shape[-1] - side + 1
    top = torch.randint(offsets, (count, 1), generator=generator)
    left = torch.randint(offsets, (count, 1), generator=generator)
    flipped = torch.rand(count, 1, generator=generator) < 0.5
    steps = torch.arange(side)
    rows = (top + steps).to(device)
    columns = (left + torch.where(flipped, steps.flip(0), steps)).to(device)
    index = torch.arange(count, device=device)[:, None, None]
    return images.permute(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).float()
