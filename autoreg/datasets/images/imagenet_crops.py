"""ImageNet's images as squares: a random part of each in training, the centre of each in evaluation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image

#: A random part covers a share of the image's area between these, and has an aspect ratio between those.
AREA = (0.08, 1.0)
ASPECT = (3 / 4, 4 / 3)
ATTEMPTS = 10


@dataclass(frozen=True)
class ImagenetCrops:
    """Squares of `size` pixels, resized bilinearly with smoothing when an image shrinks (Pillow's)."""

    size: int

    def draw(self, count: int, generator: torch.Generator) -> list[list[float]]:
        """Return, for each image, area, aspect, left and top of ten attempts and whether it is flipped, in [0, 1)."""
        drawn: list[list[float]] = torch.rand(count, 4 * ATTEMPTS + 1, generator=generator).tolist()
        return drawn

    def crop(self, image: Image.Image, drawn: Sequence[float] | None) -> Image.Image:
        """Return the square that a network sees: a random part if there are random numbers, else the centre."""
        if drawn is None:
            return self._centre(image)
        part = image.crop(random_box(*image.size, drawn[:-1])).resize((self.size,) * 2, Image.Resampling.BILINEAR)
        return part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if drawn[-1] < 0.5 else part

    def _centre(self, image: Image.Image) -> Image.Image:
        """Return the central square of the image with its shorter side resized to size·256/224."""
        width, height = image.size
        shorter = round(self.size * 256 / 224)
        if width <= height:
            resized = (shorter, int(shorter * height / width))
        else:
            resized = (int(shorter * width / height), shorter)
        left, top = (round((side - self.size) / 2) for side in resized)
        box = (left, top, left + self.size, top + self.size)
        return image.resize(resized, Image.Resampling.BILINEAR).crop(box)


def random_box(width: int, height: int, drawn: Sequence[float]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a random part of an image, within it (Szegedy et al. 2015).

    Args:
        width: of the image, in pixels.
        height: of the image, in pixels.
        drawn: ten times area, aspect, left and top in [0, 1); the first that fits is used, and if none does, the
            largest central part whose aspect is allowed.
    """
    for area, aspect, left, top in zip(*[iter(drawn)] * 4, strict=True):
        pixels = width * height * (AREA[0] + area * (AREA[1] - AREA[0]))
        ratio = ASPECT[0] * (ASPECT[1] / ASPECT[0]) ** aspect
        wide, high = round(math.sqrt(pixels * ratio)), round(math.sqrt(pixels / ratio))
        if 0 < wide <= width and 0 < high <= height:
            x, y = int(left * (width - wide + 1)), int(top * (height - high + 1))
            return x, y, x + wide, y + high
    wide = min(width, max(1, round(height * ASPECT[1])))
    high = min(height, max(1, round(width / ASPECT[0])))
    x, y = (width - wide) // 2, (height - high) // 2
    return x, y, x + wide, y + high
