"""Which folders of a folder are splits, and which are classes."""

import warnings
from pathlib import Path

from autoreg.datasets.images.image_folders import class_folders, images_in
from autoreg.errors import DataError, DataWarning

#: What people call the folders of the splits, in small letters.
SPLITS = {"train": ("train", "training"), "validation": ("val", "validation", "valid"), "test": ("test", "testing")}


def find_splits(base: Path) -> dict[str, Path]:
    """Return the folder of each split: those in the given one, or this alone, for training, if its folders are classes.

    A folder `train` with images, and not with folders of them, is a class among others.

    Raises:
        DataError: two folders are one split, or there are splits and none for training.

    Warns:
        DataWarning: other folders lie beside `train`.
    """
    there = class_folders(base)
    named = {part: [name for name in there if name.casefold() in names] for part, names in SPLITS.items()}
    if not any(_holds_classes(base / name) for name in named["train"]):
        if others := [f"{name}/" for names in named.values() for name in names if _holds_classes(base / name)]:
            raise DataError(f"{base} has {' and '.join(others)} with class folders, but no train/")
        return {"train": base}
    for names in named.values():
        if len(names) > 1:
            raise DataError(
                f"{base}: {' and '.join(f'{name}/' for name in names)} are the same split; keep one of them"
            )
    splits = {part: base / names[0] for part, names in named.items() if names}
    if others := sorted(set(there) - {path.name for path in splits.values()}):
        few = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
        warnings.warn(
            DataWarning(f"{base}: folders beside train/ that are not read: {len(others)} ({few})"), stacklevel=2
        )
    return splits


def _holds_classes(folder: Path) -> bool:
    """Whether a folder has folders, and no image itself."""
    return bool(class_folders(folder)) and not images_in(folder, deep=False).names
