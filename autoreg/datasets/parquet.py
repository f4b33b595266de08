"""Images from Parquet files as the Hugging Face hub has them, as squares of one size."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from autoreg.datasets.dataset import Dataset, datasets
from autoreg.datasets.images.cache import cache_folder
from autoreg.datasets.images.image_folders import joined
from autoreg.datasets.images.parquet_files import LabelledParquet, find_columns, find_parts
from autoreg.datasets.images.squares import Squares, decoded_once, held_out, squares_dataset
from autoreg.datasets.split import Split, below_the_root
from autoreg.errors import DataError


@datasets.register
def parquet(
    root: Path | None,
    *,
    folder: Annotated[str, AfterValidator(below_the_root)] = ".",
    image: str | None = None,
    label: str | None = None,
    size: Annotated[int, Field(ge=8, le=1024)] = 64,
    channels: Literal[1, 3] = 3,
    validation_share: Annotated[float, Field(gt=0, le=0.5)] = 0.15,
    test_share: Annotated[float, Field(gt=0, le=0.5)] = 0.15,
    stratified: bool = True,
) -> Dataset:
    """Return the images of `train-*.parquet`, below the data root, as size×size squares.

    The folder, or `data/` in it, may also have `validation-*.parquet` (or `val-`, `valid-`) and `test-*.parquet`; what
    is missing is held out as by `image_folder`, with `stratified: false` from all classes together. A column of
    images holds their files, as the hub's `Image` does; `image` and `label` name the columns where there are several
    that may be meant. Labels number the classes from 0. `channels: 1` makes images grey.

    Images are squared, standardised and augmented as by `image_folder`. They are decoded once and kept in the cache
    and in memory, channels·size² bytes each.

    Raises:
        DataError: there are no such files or columns, an image has no label, or one cannot be read.
        ConfigError: a class has too few images to hold some out.
    """
    if root is None:
        raise DataError("parquet needs files: set dataset.root, or AUTOREG_DATA, to the folder that has them")
    parts = find_parts(root / folder)
    columns = find_columns(parts["train"][0], image, label)
    found = {part: LabelledParquet.load(paths, columns) for part, paths in parts.items()}
    classes = int(found["train"].labels.max()) + 1
    for part, files in found.items():
        if (highest := int(files.labels.max())) >= classes:
            raise DataError(
                f"{root / folder}: classes of {part} and of train differ: labels up to {highest}, {classes - 1}"
            )
    squares = Squares(size, channels)
    splits = {part: _decoded(files, squares) for part, files in found.items()}
    shares = {"validation": validation_share, "test": test_share}
    missing = {name: shares[name] for name in shares if name not in splits}
    splits |= held_out(splits["train"], missing, columns.names(classes), stratified)
    return squares_dataset(splits, classes, joined(files.fingerprint for files in found.values()))


def _decoded(files: LabelledParquet, squares: Squares) -> Split:
    cached = cache_folder() / f"parquet-{files.fingerprint}-{squares.size}-{squares.channels}.npy"
    decode = (squares.decode(chunk) for chunk in files.chunks())
    inputs = decoded_once(cached, len(files.labels), squares, lambda: (some for part in decode for some in part))
    return Split(inputs, files.labels)
