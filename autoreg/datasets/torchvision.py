"""Torchvision's datasets of labelled images, by their names there, as squares of one size."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, WithJsonSchema

from autoreg.datasets.dataset import Dataset, datasets
from autoreg.datasets.images.data_folder import Folder, count_classes, data_folder
from autoreg.datasets.images.squares import Squares
from autoreg.datasets.images.squares_dataset import Share, Side, squares_dataset
from autoreg.datasets.images.torchvision_files import PICKLED, PUBLISHED, hashes_of, load_split
from autoreg.errors import did_you_mean


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
    folder: Folder = ".",
    size: Side = 32,
    channels: Literal[1, 3] = 3,
    validation_share: Share = 0.15,
    test_share: Share = 0.15,
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
    base = data_folder(root, folder, "torchvision")
    fingerprints, squares = hashes_of(dataset, base), Squares(size, channels)
    splits = {part: load_split(dataset, part, base, fingerprints[0], squares) for part in PUBLISHED[dataset].splits}
    classes = count_classes({part: labels for part, (_, labels) in splits.items()}, base)
    return squares_dataset(
        splits,
        [str(label) for label in range(classes)],
        fingerprints,
        shares={"validation": validation_share, "test": test_share},
        stratified=stratified,
    )
