"""Images of any size as squares of one size: decoded once, held as bytes, and cropped at random in training."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from autoreg.datasets.images.cache import CHUNK, cache_folder, cached_array
from autoreg.datasets.images.pixels import VERSION, remarks_of
from autoreg.errors import DataError, first_line
from autoreg.files import write_atomically, write_bytes

_REMARKS = TypeAdapter(dict[str, int])


@dataclass(frozen=True)
class Squares:
    """The middle of an image, as its camera was held.

    Attributes:
        size: side of the square.
        channels: 3 for red, green and blue; 1 for grey.
    """

    size: int
    channels: int = 3

    def path(self, name: str) -> Path:
        """Return the file of the cache that keeps such squares of named images."""
        return cache_folder() / f"{name}-{self.size}-{self.channels}-v{VERSION}.npy"

    def crop(self, image: Image.Image) -> np.ndarray[Any, Any]:
        """Return the middle of an image, uint8 [channels, size, size], its shorter side resized to `size`."""
        square = ImageOps.fit(ImageOps.exif_transpose(image), (self.size, self.size), Image.Resampling.BILINEAR)
        return np.atleast_3d(np.asarray(square if self.channels == 3 else square.convert("L"))).transpose(2, 0, 1)


@dataclass(frozen=True)
class Decoded:
    """Decoded images.

    Attributes:
        images: uint8, [images, channels, size, size].
        remarks: what is to be said of how they were decoded, and of how many.
    """

    images: Tensor
    remarks: Mapping[str, int]


def decoded_once(path: Path, count: int, squares: Squares, images: Iterable[Callable[[], Image.Image]]) -> Decoded:
    """Return all images, decoded for this and every later process.

    Args:
        path: the file of the cache that keeps them (`Squares.path`).
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

        def decode(row: int, image: Callable[[], Image.Image]) -> tuple[str, ...]:
            opened = image()
            array[row] = squares.crop(opened)
            return remarks_of(opened)

        found, done = Counter[str](), 0
        with ThreadPoolExecutor() as pool:
            while chunk := list(islice(numbered, CHUNK)):  # not more at a time, since their files are in memory
                for remarks in pool.map(decode, *zip(*chunk, strict=True)):
                    found.update(remarks)
                done += len(chunk)
        if done != count:
            raise DataError(f"{path} should get {count} images, got {done}: run the same command again")
        array.flush()
        write_bytes(path.with_suffix(".json"), _REMARKS.dump_json(found))

    if not path.is_file():
        write_atomically(path, write)
    images_there = torch.from_numpy(cached_array(path, shape, np.uint8, mmap_mode="c"))
    try:
        return Decoded(images_there, _REMARKS.validate_json(path.with_suffix(".json").read_bytes()))
    except (OSError, ValidationError) as error:
        raise DataError(f"{path.with_suffix('.json')} is damaged: {first_line(error)}; delete {path}") from error


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
