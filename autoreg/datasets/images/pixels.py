"""The one way from an image of any mode to 8 bits of red, green and blue."""

import io
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from autoreg.datasets.images.cache import Array

#: Of the rules below. Another one makes images be decoded anew.
VERSION = 2
#: What is said of images; the first two are of pixels that version 1 made white or black.
OVER_WHITE = "have transparent pixels, which are shown over white"
SCALED = "have more than 8 bits a pixel and channel, which are scaled to 8"
FIRST = "have several frames or pages, of which the first is taken"
CHANGED = (OVER_WHITE, SCALED)
_KEY = "autoreg"
#: Tags of TIFF.
_BITS, _PHOTOMETRIC, _FORMAT = 258, 262, 339


def to_rgb(image: Image.Image) -> Image.Image:
    """Return an image in the mode RGB, with what is to be said of it (`remarks_of`).

    Transparent pixels are mixed with white. Grey values of 16 bits are divided by 256, of a TIFF with n bits by
    2ⁿ⁻⁸; floats must be in [0, 1]. Modes of 8 bits are converted as Pillow does.

    Raises:
        ValueError: the values have no defined range: signed integers, those of 32 bits, floats beyond [0, 1].
        OSError: the image cannot be decoded.
    """
    remarks = [FIRST] if getattr(image, "n_frames", 1) > 1 and image.format != "MPO" else []  # MPO: a JPEG's previews
    if 2 in getattr(image, "tag_v2", {}).get(_FORMAT, ()):  # which Pillow reads as if it had no sign
        raise ValueError("signed integers have no defined range, convert them to unsigned ones")
    if isinstance(image, PngImageFile) and "transparency" in image.info:
        if image.tile[0].args == "RGB;16B":
            _show_clear_colour(image)
        else:
            image.info["transparency"] *= {"L;2": 85, "L;4": 17}.get(
                str(image.tile[0].args), 1
            )  # Pillow scales the pixels
    image.load()
    if image.mode[0] in "IF":
        grey = _scaled(image)
        remarks.append(SCALED)
        key = image.info.get("transparency")
        if key is not None and (is_clear := np.asarray(image) == key).any():
            grey = np.where(is_clear, np.uint8(255), grey)
            remarks.append(OVER_WHITE)
        made = Image.fromarray(grey).convert("RGB")
    elif image.has_transparency_data:
        whole = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        if np.asarray(whole.getchannel("A")).min() < 255:
            whole = Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole)
            remarks.append(OVER_WHITE)
        made = whole.convert("RGB")
    else:
        made = image.convert("RGB")
    made.info = {key: value for key, value in image.info.items() if key != "transparency"}  # orientation among them
    made.info[_KEY] = tuple(remarks)
    return made


def remarks_of(image: Image.Image) -> tuple[str, ...]:
    """Return what is to be said of an image that `to_rgb` made."""
    remarks: tuple[str, ...] = image.info[_KEY]
    return remarks


def _show_clear_colour(image: Any) -> None:
    """Make the clear colour of a PNG of 16 bits its alpha: Pillow keeps the upper 8 bits only."""
    start = image.fp.tell()
    image.fp.seek(0)
    lower = Image.open(io.BytesIO(image.fp.read()))
    image.fp.seek(start)
    lower.tile = [tile._replace(args="RGB;16L") for tile in lower.tile]  # the other byte counts as the upper one
    colours = np.asarray(image).astype(np.uint16) << 8 | np.asarray(lower)
    clear = (colours == image.info.pop("transparency")).all(2)
    image.putalpha(Image.fromarray(np.where(clear, 0, 255).astype(np.uint8)))


def _scaled(image: Image.Image) -> Array:
    """Return grey values of more than 8 bits as uint8."""
    values: Array = np.asarray(image)
    tags = getattr(image, "tag_v2", {})
    if image.mode == "F":
        if not (values.min() >= 0 and values.max() <= 1):  # nor NaN
            raise ValueError(f"floats should be in [0, 1], got {values.min():g} to {values.max():g}")
        grey: Array = (values * 255).round().astype(np.uint8)
    elif image.mode == "I" and image.format not in ("PNG", "PPM"):  # which have 16 bits
        raise ValueError("integers of 32 bits have no defined range, convert them to 8 or 16 bits")
    else:
        grey = (values >> (tags.get(_BITS, (16,))[0] - 8)).astype(np.uint8)
    return 255 - grey if tags.get(_PHOTOMETRIC) == 0 else grey
