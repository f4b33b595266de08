"""Torchvision's datasets of labelled images, by their names there, as squares of one size."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from autoreg.datasets.dataset import Dataset, datasets
from autoreg.datasets.images.squares import Squares, held_out, squares_dataset
from autoreg.datasets.images.torchvision_files import PICKLED, PUBLISHED, fingerprint_of, load_split
from autoreg.datasets.split import below_the_root
from autoreg.errors import DataError, did_you_mean


def _known(name: str) -> str:
    if name in PICKLED:
        raise ValueError(f"must not be {name}, whose files are pickles, which are not loaded: {PICKLED[name]} reads it")
    if name not in PUBLISHED:
        raise ValueError(f"has no {name!r}{did_you_mean(name, PUBLISHED)}")
    return name


@datasets.register
def torchvision(
    root: Path | None,
    *,
    dataset: Annotated[str, AfterValidator(_known), WithJsonSchema({"enum": sorted(PUBLISHED)})],
    folder: Annotated[str, AfterValidator(below_the_root)] = ".",
    size: Annotated[int, Field(ge=8, le=1024)] = 32,
    channels: Literal[1, 3] = 3,
    validation_share: Annotated[float, Field(gt=0, le=0.5)] = 0.15,
    test_share: Annotated[float, Field(gt=0, le=0.5)] = 0.15,
    stratified: bool = True,
) -> Dataset:
    """Return the images of `torchvision.datasets.<dataset>` as size×size squares; nothing is downloaded.

    `folder`, below the data root, is what torchvision calls `root`. Splits are torchvision's; what it has not is held
    out as by `image_folder`, with `stratified: false` from all classes together. Grey images have three equal
    channels; `channels: 1` makes all images grey, with one.

    Images are squared, standardised and augmented as by `image_folder`. They are decoded once and kept in the cache
    and in memory, channels·size² bytes each.

    Raises:
        DataError: the files are not there, with the lines that fetch them, or damaged.
        ConfigError: a class has too few images to hold some out.
    """
    if root is None:
        raise DataError("torchvision needs files: set dataset.root, or AUTOREG_DATA, to the folder that has them")
    base = root / folder
    if not base.is_dir():
        raise DataError(f"the folder {base} does not exist (option `folder` below AUTOREG_DATA or dataset.root)")
    fingerprint = fingerprint_of(dataset, base)
    squares = Squares(size, channels)
    splits = {part: load_split(dataset, part, base, fingerprint, squares) for part in PUBLISHED[dataset].splits}
    classes = int(splits["train"].labels.max()) + 1
    for part, split in splits.items():
        if (highest := int(split.labels.max())) >= classes:
            raise DataError(f"{base}: labels of {part} go up to {highest}, of train up to {classes - 1}")
    shares = {"validation": validation_share, "test": test_share}
    missing = {name: shares[name] for name in shares if name not in splits}
    splits |= held_out(splits["train"], missing, [str(label) for label in range(classes)], stratified)
    return squares_dataset(splits, classes, fingerprint)
