"""A dataset of squares, whose missing splits are held out of its training images."""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from autoreg.datasets.dataset import Dataset
from autoreg.datasets.images.cache import hash_texts
from autoreg.datasets.images.pixels import CHANGED, VERSION
from autoreg.datasets.images.squares import Decoded, random_crops
from autoreg.datasets.split import Split
from autoreg.errors import ConfigError, DataWarning
from autoreg.seeds import derive_seed

#: Share of an image's side by which it is shifted at most, as CIFAR-10's are by 4 of 32 pixels.
SHIFT = 1 / 8

#: The options of such a dataset: the side of a square, and which share of the training images is held out.
Side = Annotated[int, Field(ge=8, le=1024)]
Share = Annotated[float, Field(gt=0, le=0.5)]


def squares_dataset(
    images: Mapping[str, tuple[Decoded, Tensor]],
    classes: Sequence[str],
    fingerprints: Sequence[str],
    *,
    shares: Mapping[str, float],
    stratified: bool,
) -> Dataset:
    """Return a dataset of squares, uint8, [images, channels, size, size].

    Channels are standardised by the training images. Augmentation shifts by up to an eighth, in a black frame, and
    flips half of the time.

    Args:
        images: those of `train`, and of the other splits that there are, with their labels.
        classes: names of the labels.
        fingerprints: of the files, and those of earlier versions (`Dataset.fingerprints`).
        shares: of the training images, in (0, 1), that each other split takes if it is not there.
        stratified: whether they are the same share of every class, and one image at least; else of all together.

    Raises:
        ConfigError: a class has too few images to hold some out.

    Warns:
        DataWarning: what is to be said of how images were decoded.
    """
    remarks = sum((Counter(decoded.remarks) for decoded, _ in images.values()), Counter[str]())
    total = sum(len(labels) for _, labels in images.values())
    for remark, count in remarks.items():
        warnings.warn(DataWarning(f"{count} of {total} images {remark}"), stacklevel=2)
    if remarks.keys() & set(CHANGED):  # trials of earlier versions saw other pixels
        fingerprints = [hash_texts([fingerprints[0], f"pixels {VERSION}"])]
    splits = {name: Split(decoded.images, labels) for name, (decoded, labels) in images.items()}
    missing = {name: share for name, share in shares.items() if name not in splits}
    splits |= _held_out(splits["train"], missing, classes, stratified)
    _, channels, size, _ = splits["train"].inputs.shape
    deviation, mean = torch.std_mean(splits["train"].inputs.float(), (0, 2, 3), correction=0, keepdim=True)
    deviation = deviation.clamp_min(1.0)  # of a channel that is the same everywhere

    def prepare(images: Tensor) -> Tensor:
        return (images.float() - mean.to(images.device)) / deviation.to(images.device)

    def augment(images: Tensor, generator: torch.Generator) -> Tensor:
        framed = functional.pad(images, [max(1, int(size * SHIFT))] * 4)
        return prepare(random_crops(framed, size, generator))

    return Dataset(
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        input_shape=(channels, size, size),
        classes=len(classes),
        fingerprint=fingerprints[0],
        prepare=prepare,
        augment=augment,
        earlier=tuple(fingerprints[1:]),
    )


def _held_out(split: Split, shares: Mapping[str, float], classes: Sequence[str], stratified: bool) -> dict[str, Split]:
    """Return splits with the given shares of a split, in an order of their own, and as `train` what is left."""
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(derive_seed("image_folder")))
    owner = torch.zeros(len(split), dtype=torch.int64)  # 0 is for training
    ordered = split.labels[order]
    strata = [(f"class {name!r}", order[ordered == label]) for label, name in enumerate(classes)]
    for name, rows in strata if stratified else [("the training split", order)]:
        counts = [max(1, round(share * len(rows))) for share in shares.values()]
        if sum(counts) >= len(rows) > 0 and shares:
            advice = "; `stratified: false` takes them from all classes together" if stratified else ""
            raise ConfigError(f"{name} has {len(rows)} images, too few to hold {sum(counts)} of them out{advice}")
        if len(rows):
            for number, chosen in enumerate(torch.split(rows[: sum(counts)], counts), start=1):
                owner[chosen] = number
    indices = {"train": (owner == 0).nonzero()[:, 0]}
    indices |= {name: order[owner[order] == number] for number, name in enumerate(shares, start=1)}
    return {name: Split(split.inputs[chosen], split.labels[chosen]) for name, chosen in indices.items()}
