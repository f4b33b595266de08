"""Images of one's own, in folders named by their classes, as squares of one size."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from autoreg.datasets.dataset import Dataset, datasets
from autoreg.datasets.images.cache import cache_folder
from autoreg.datasets.images.image_folders import FolderImages, class_folders, joined, labelled_folders
from autoreg.datasets.images.squares import Squares, decoded_once, held_out, squares_dataset
from autoreg.datasets.split import Split, below_the_root
from autoreg.errors import DataError

#: What people call the folders of the splits.
FOLDERS = {"train": ("train", "training"), "validation": ("val", "validation", "valid"), "test": ("test",)}


@datasets.register
def image_folder(
    root: Path | None,
    *,
    folder: Annotated[str, AfterValidator(below_the_root)] = ".",
    size: Annotated[int, Field(ge=8, le=1024)] = 64,
    validation_share: Annotated[float, Field(gt=0, le=0.5)] = 0.15,
    test_share: Annotated[float, Field(gt=0, le=0.5)] = 0.15,
    stratified: bool = True,
) -> Dataset:
    """Return images that lie in `<class>/*.jpg` (or JPEG, PNG), below the data root, as size×size squares.

    The folder holds the class folders, or `train/` with them, and `val/` and `test/` if there are such splits. What is
    missing is held out from the training images, with a fixed seed: the same share of every class, and one image
    at least; with `stratified: false` of all classes together. The shorter side of an image is resized to `size` and
    the middle is taken; channels are standardised by the training images. Augmentation shifts by up to an eighth, in
    a black frame, and flips half of the time.

    Decoded images are kept in the cache and in memory, 3·size² bytes each.

    Raises:
        DataError: there is no such folder, a class has no images, or one cannot be read.
        ConfigError: a class has too few images to hold some out.
    """
    base = _find(root, folder)
    parts = _parts(base)
    found = {split: labelled_folders(place) for split, place in parts.items()}
    classes = found["train"].classes
    for split, images in found.items():
        if images.classes != classes:
            odd = sorted(set(images.classes) ^ set(classes))
            raise DataError(f"{base}: classes of {parts[split].name} and of train differ: {', '.join(odd[:3])}")
    splits = {split: _decoded(images, Squares(size)) for split, images in found.items()}
    shares = {"validation": validation_share, "test": test_share}
    missing = {name: shares[name] for name in shares if name not in splits}
    splits |= held_out(splits["train"], missing, classes, stratified)
    return squares_dataset(splits, len(classes), joined(images.fingerprint for images in found.values()))


def _find(root: Path | None, folder: str) -> Path:
    if root is None:
        raise DataError("image_folder needs images: set dataset.root, or AUTOREG_DATA, to the folder that has them")
    if not (root / folder).is_dir():
        raise DataError(
            f"the folder {root / folder} does not exist (option `folder` below AUTOREG_DATA or dataset.root)"
        )
    return root / folder


def _parts(base: Path) -> dict[str, Path]:
    """Return the folder of each split that has one; without `train`, all images are training images."""
    there = set(class_folders(base))
    parts = {split: base / name for split, names in FOLDERS.items() for name in names if name in there}
    return parts if "train" in parts else {"train": base}


def _decoded(images: FolderImages, squares: Squares) -> Split:
    cached = cache_folder() / f"image_folder-{images.fingerprint}-{squares.size}.npy"
    inputs = decoded_once(cached, len(images.labels), squares, lambda: squares.decode(images))
    return Split(inputs, images.labels)
