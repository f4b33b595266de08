"""Images from Parquet files as the Hugging Face hub has them, as squares of one size."""

from pathlib import Path
from typing import Literal

from autoreg.datasets.dataset import Dataset, datasets
from autoreg.datasets.images.cache import hash_texts
from autoreg.datasets.images.data_folder import Folder, count_classes, data_folder
from autoreg.datasets.images.parquet_columns import find_columns
from autoreg.datasets.images.parquet_copies import refuse_copies
from autoreg.datasets.images.parquet_files import LabelledParquet
from autoreg.datasets.images.parquet_shards import find_parts
from autoreg.datasets.images.squares import Decoded, Squares, decoded_once
from autoreg.datasets.images.squares_dataset import Share, Side, squares_dataset
from autoreg.errors import DataError


@datasets.register
def parquet(
    root: Path | None,
    *,
    folder: Folder = ".",
    image: str | None = None,
    label: str | None = None,
    size: Side = 64,
    channels: Literal[1, 3] = 3,
    validation_share: Share = 0.15,
    test_share: Share = 0.15,
    stratified: bool = True,
) -> Dataset:
    """Return the images of `train-*.parquet`, below the data root, as size×size squares.

    The folder, or `data/` in it, may also have `validation-*.parquet` (or `val-`, `valid-`) and `test-*.parquet`; what
    is missing is held out as by `image_folder`, with `stratified: false` from all classes together. A column of
    images holds their files, as the hub's `Image` does; `image` and `label` name the columns where there are several
    that may be meant. Labels number
    the classes from 0; files that name their classes are matched by name. Shards that say how many they are must all be
    there. `channels: 1` makes images grey.

    Images are squared, standardised and augmented as by `image_folder`. They are decoded once and kept in the cache
    and in memory, channels·size² bytes each.

    Raises:
        DataError: there are no such files or columns, an image has no label, or one cannot be read.
        ConfigError: a class has too few images to hold some out.
    """
    base = data_folder(root, folder, "parquet")
    parts = find_parts(base, base / "data")
    if not parts:
        raise DataError(f"{base} has no train-*.parquet, nor has data/ in it")
    columns = find_columns(parts["train"], image, label)
    files = {part: LabelledParquet.load(paths, columns) for part, paths in parts.items()}
    if len({table.content for table in files.values()}) < len(files):
        raise DataError(
            f"{parts['train'][0].parent}: two of {', '.join(files)} have the same content; keep one of them"
        )
    refuse_copies(files.values())
    classes = count_classes(
        {part: table.labels for part, table in files.items()}, parts["train"][0].parent, columns.classes
    )

    squares = Squares(size, channels)

    def decoded(table: LabelledParquet) -> Decoded:
        return decoded_once(squares.path(f"parquet-{table.fingerprint}"), len(table.labels), squares, table.images())

    # Earlier versions read labels as they are numbered.
    forms = ["fingerprint"] if any(table.renumbered for table in files.values()) else ["fingerprint", "earlier"]
    return squares_dataset(
        {part: (decoded(table), table.labels) for part, table in files.items()},
        columns.names(classes),
        [
            hash_texts(f"{part}:{table.fingerprint}" for part, table in files.items()),
            # earlier versions took files for the same whose validation was named test since
            *(hash_texts(getattr(table, form) for table in files.values()) for form in forms),
        ],
        shares={"validation": validation_share, "test": test_share},
        stratified=stratified,
    )
