"""Images of one's own, in folders named by their classes, as squares of one size."""

from functools import partial
from pathlib import Path

from autoreg.datasets.dataset import Dataset, datasets
from autoreg.datasets.images.cache import hash_texts
from autoreg.datasets.images.data_folder import Folder, data_folder, require_same_classes
from autoreg.datasets.images.folder_splits import find_splits
from autoreg.datasets.images.image_folders import FolderImages, labelled_folders
from autoreg.datasets.images.squares import Decoded, Squares, decoded_once
from autoreg.datasets.images.squares_dataset import Share, Side, squares_dataset
from autoreg.errors import DataError


@datasets.register
def image_folder(
    root: Path | None,
    *,
    folder: Folder = ".",
    size: Side = 64,
    validation_share: Share = 0.15,
    test_share: Share = 0.15,
    stratified: bool = True,
) -> Dataset:
    """Return images that lie in `<class>/*.jpg` (or PNG, WebP, TIFF, …), below the data root, as size×size squares.

    The folder holds the class folders, or `train/` with them, and `val/` and `test/` if there are such splits
    (`find_splits`); images may also lie in folders of a class folder, and what is not read is counted. What is missing
    is held out from the training images, with a fixed seed: the same share of every class, and one image at least;
    with `stratified: false` of all classes together. The shorter side of an image is resized to `size` and the middle
    is taken; channels are standardised by the training images. Augmentation shifts by up to an eighth, in a black
    frame, and flips half of the time.

    Decoded images are kept in the cache and in memory, 3·size² bytes each.

    Raises:
        DataError: there is no such folder, a class has no images, one cannot be read, or two splits have the same.
        ConfigError: a class has too few images to hold some out.
    """
    base = data_folder(root, folder, "image_folder")
    parts = {split: labelled_folders(path) for split, path in find_splits(base).items()}
    require_same_classes({split: images.classes for split, images in parts.items()}, base)
    first: dict[str, str] = {}
    for split, images in parts.items():
        if (other := first.setdefault(images.fingerprint, split)) != split:
            raise DataError(f"{base}: {other} and {split} have the same images; keep one of them")

    squares = Squares(size)

    def decoded(images: FolderImages) -> Decoded:
        opened = (partial(images.open, row) for row in range(len(images.labels)))
        return decoded_once(squares.path(f"image_folder-{images.fingerprint}"), len(images.labels), squares, opened)

    return squares_dataset(
        {split: (decoded(images), images.labels) for split, images in parts.items()},
        parts["train"].classes,
        [
            hash_texts(f"{split}:{images.fingerprint}" for split, images in parts.items()),
            # earlier versions took a folder for the same whose val/ was named test/ since
            *(hash_texts(getattr(images, form) for images in parts.values()) for form in ("fingerprint", "earlier")),
        ],
        shares={"validation": validation_share, "test": test_share},
        stratified=stratified,
    )
