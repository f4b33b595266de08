"""ImageNet (ILSVRC 2012) from folders or Parquet, decoded while networks train on it."""

from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from autoreg.datasets.dataset import Dataset, datasets
from autoreg.datasets.images.data_folder import Folder
from autoreg.datasets.images.encoded import EncodedImages
from autoreg.datasets.images.imagenet_crops import ImagenetCrops
from autoreg.datasets.images.imagenet_files import find_images
from autoreg.datasets.images.streamed import StreamedSplit
from autoreg.errors import ConfigError
from autoreg.seeds import derive_seed

#: Mean and deviation of each channel over ImageNet's training images, of values in [0, 1].
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


@datasets.register
def imagenet(
    root: Path | None,
    *,
    folder: Folder = "imagenet",
    size: Annotated[int, Field(ge=1)] = 224,
    validation_size: Annotated[int, Field(ge=1)] = 10_000,
    train_size: Annotated[int, Field(ge=1)] | None = None,
    test_size: Annotated[int, Field(ge=1)] | None = None,
    test: Literal["val", "train"] = "val",
) -> Dataset:
    """Return ImageNet's images as size×size squares, decoded whenever they are asked for.

    The paper's test set is ImageNet's validation images (`test: val`). What tuning looks at, `validation_size` of
    them, is drawn from the training images with a fixed seed. `test: train` takes the test set from them too, for a
    folder without validation images. `train_size` and `test_size` take a random part with a fixed seed; None takes
    all. Each split has its images in a random order that is always the same. Needs files; `find_images` says which.

    In training an image is a random part of it (`random_box`), flipped half of the time; in evaluation the centre of
    it, with the shorter side at size·256/224. Values in [0, 1] are then standardised by channel.

    The authors' preprocessing differs. Both of theirs train on parts of 5–100%, drawn around labelled boxes where there
    are any, and resize without smoothing. TensorFlow's official ResNet subtracts channel means only, from values in
    [0, 255]; Inception distorts colours in training, squeezes the central 87.5% into a square in evaluation, and uses
    values in [-1, 1].

    Raises:
        DataError: the files are missing or damaged.
        ConfigError: there are fewer images than the sizes ask for.
    """
    if test == "train" and test_size is None:
        raise ConfigError("test: train needs test_size, the number of training images to hold out")
    held_out = test_size if test == "train" and test_size else 0
    source = find_images(root, folder, with_val=test == "val")
    rows = _shuffled(source.train, "training", validation_size + held_out + (train_size or 1))
    validation, test_rows, train = torch.split(
        rows, [validation_size, held_out, len(rows) - validation_size - held_out]
    )
    if source.val is not None:
        test_rows = _shuffled(source.val, "validation", test_size or 1)[:test_size]

    def part(images: EncodedImages, rows: Tensor) -> StreamedSplit:
        return StreamedSplit(images, rows, images.labels[rows], ImagenetCrops(size))

    return Dataset(
        train=part(source.train, train[:train_size]),
        validation=part(source.train, validation),
        test=part(source.val or source.train, test_rows),
        input_shape=(3, size, size),
        classes=source.classes,
        fingerprint=source.fingerprint,
        earlier=source.earlier,
        prepare=prepare,
        augment=lambda images, _: prepare(images),  # which were cropped and flipped at random while they were decoded
        evaluation_batch=50,  # with all of its activations: 1 GB for a ResNet18 of four times the width at 224 pixels
    )


def prepare(images: Tensor) -> Tensor:
    """Return uint8 images, [batch, 3, size, size], as floats, standardised by channel, on their device."""
    mean, deviation = (torch.tensor(values, device=images.device)[:, None, None] for values in (MEAN, DEVIATION))
    return images.float().div_(255).sub_(mean).div_(deviation)


def _shuffled(images: EncodedImages, kind: str, asked: int) -> Tensor:
    """Return all rows in an order that is always the same. Raises ConfigError if more are asked for than there are."""
    count = len(images.labels)
    if asked > count:
        raise ConfigError(f"the sizes must not ask for more than the {count} {kind} images there are, got {asked}")
    return torch.randperm(count, generator=torch.Generator().manual_seed(derive_seed("imagenet", kind)))
