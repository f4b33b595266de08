"""CIFAR-10 from the official batches or from Parquet, as the paper's AlexNets or its ResNet56 see it."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from autoreg.datasets.dataset import Dataset, datasets
from autoreg.datasets.images.cifar10_files import load_images
from autoreg.datasets.images.cifar10_images import SIZE, augment_cropped, augment_whole, prepare_cropped, prepare_whole
from autoreg.datasets.split import Split


@datasets.register
def cifar10(
    root: Path | None,
    *,
    train_size: Annotated[int, Field(ge=1, le=45_000)] = 45_000,
    validation_size: Annotated[int, Field(ge=1, le=5_000)] = 5_000,
    test_size: Annotated[int, Field(ge=1, le=10_000)] = 10_000,
    pictures: Literal["cropped", "whole"] = "cropped",
) -> Dataset:
    """Return CIFAR-10's 50,000 training images, split in file order, and its 10,000 test images.

    The validation set is the last 5,000 training images in file order (the paper's text; the released code: 2,500);
    smaller sizes take the first images of their split. Needs files; `load_images` says which.

    `pictures` says what a network sees: `cropped` 28×28 of them resized to 32×32, with random brightness and contrast
    as augmentation (the paper's AlexNets); `whole` 32×32, shifted and flipped as augmentation (its ResNet56).
    """
    stored, labels, fingerprint = load_images(root)

    def part(start: int, size: int) -> Split:
        return Split(stored[start : start + size], labels[start : start + size])

    return Dataset(
        train=part(0, train_size),
        validation=part(45_000, validation_size),
        test=part(50_000, test_size),
        input_shape=(3, SIZE, SIZE),
        classes=10,
        fingerprint=fingerprint,
        prepare=prepare_cropped if pictures == "cropped" else prepare_whole,
        augment=augment_cropped if pictures == "cropped" else augment_whole,
    )
