"""CIFAR-10 from the official batches or from Parquet, and its pictures as the paper's networks see them."""

from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from autoreg.datasets.cifar10_files import load_pictures
from autoreg.datasets.dataset import Dataset, datasets
from autoreg.datasets.split import Split

CROP = 28
SIZE = 32


@datasets.register
def cifar10(
    root: Path | None,
    *,
    train_size: Annotated[int, Field(ge=1, le=45_000)] = 45_000,
    validation_size: Annotated[int, Field(ge=1, le=5_000)] = 5_000,
    test_size: Annotated[int, Field(ge=1, le=10_000)] = 10_000,
) -> Dataset:
    """Return CIFAR-10's 50,000 training pictures, split in file order, and its 10,000 test pictures.

    The validation set is the last 5,000 training pictures in file order (the paper's text; the released code: 2,500);
    smaller sizes take the first pictures of their split. Needs files; `load_pictures` says which.
    """
    pictures, labels, fingerprint = load_pictures(root)

    def part(start: int, size: int) -> Split:
        return Split(pictures[start : start + size], labels[start : start + size])

    return Dataset(
        train=part(0, train_size),
        validation=part(45_000, validation_size),
        test=part(50_000, test_size),
        input_shape=(3, SIZE, SIZE),
        classes=10,
        fingerprint=fingerprint,
        prepare=prepare,
        augment=augment,
    )


def prepare(pictures: Tensor) -> Tensor:
    """Return the central 28×28 of uint8 pictures [batch, 3, 32, 32], standardised each and resized to 32×32.

    The order is the released code's (cifar_dataset.py). Unlike its resizing, ours centres the sampling points.
    """
    margin = (SIZE - CROP) // 2
    return _standardise(pictures[:, :, margin : margin + CROP, margin : margin + CROP].float())


def augment(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Return random 28×28 crops, flipped half of the time, with random brightness (±63 of 255) and contrast (×0.2–1.8).

    Args:
        pictures: uint8, [batch, 3, 32, 32], on any device.
        generator: on the CPU, so that a seed gives the same pictures on every device.
    """
    count, device = len(pictures), pictures.device
    top = torch.randint(SIZE - CROP + 1, (count, 1), generator=generator)
    left = torch.randint(SIZE - CROP + 1, (count, 1), generator=generator)
    flipped = torch.rand(count, 1, generator=generator) < 0.5
    brightness = (torch.rand(count, 1, 1, 1, generator=generator) * 2 - 1) * 63
    contrast = torch.rand(count, 1, 1, 1, generator=generator) * 1.6 + 0.2
    steps = torch.arange(CROP)
    rows = (top + steps).to(device)
    columns = (left + torch.where(flipped, steps.flip(0), steps)).to(device)
    index = torch.arange(count, device=device)[:, None, None]
    crops = pictures.permute(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).float()
    crops = crops + brightness.to(device)
    means = crops.mean((2, 3), keepdim=True)
    return _standardise((crops - means) * contrast.to(device) + means)


def _standardise(crops: Tensor) -> Tensor:
    """Return pictures of mean 0 and deviation 1 each (not below 1/√pixels, as TensorFlow's), resized to 32×32."""
    deviation, mean = torch.std_mean(crops, (1, 2, 3), correction=0, keepdim=True)
    floor = crops[0].numel() ** -0.5
    standard = (crops - mean) / deviation.clamp_min(floor)
    return functional.interpolate(standard, size=(SIZE, SIZE), mode="bilinear", align_corners=False)
