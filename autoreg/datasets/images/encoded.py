"""Images as files hold them, and their pixels."""

import io
import struct
from pathlib import Path
from typing import Protocol

from PIL import Image, UnidentifiedImageError
from torch import Tensor

from autoreg.datasets.images.pixels import to_rgb
from autoreg.errors import DataError, first_line

#: Of damaged files, each reader something else.
PILLOW_RAISES = (
    OSError, SyntaxError, ValueError, IndexError, EOFError, struct.error, Image.DecompressionBombError,
)  # fmt: skip


class EncodedImages(Protocol):
    """Images as files hold them, numbered by row."""

    @property
    def labels(self) -> Tensor:
        """The labels, int64, [images]."""

    def open(self, row: int) -> Image.Image:
        """Return an image, decoded. Raises DataError, naming it, if it cannot be read."""


def open_image(file: Path | bytes, name: str, size: tuple[int, int] | None = None) -> Image.Image:
    """Return the image in a file, or in what was one, decoded, with the channels red, green and blue (`to_rgb`).

    Args:
        file: its path or its content.
        name: what messages call it.
        size: the width and height that it must have, or None for any.

    Raises:
        DataError: it cannot be read as an image, or has another size.
    """
    try:
        with Image.open(io.BytesIO(file) if isinstance(file, bytes) else file) as image:
            if size and image.size != size:  # before it is decoded: a large one takes memory
                raise DataError(f"{name} must be {size[0]}×{size[1]}, got {image.width}×{image.height}")
            return to_rgb(image)
    except UnidentifiedImageError as error:
        raise DataError(f"{name} cannot be read as an image: its format is not known") from error
    except PILLOW_RAISES as error:
        raise DataError(f"{name} cannot be read as an image: {first_line(error)}") from error
