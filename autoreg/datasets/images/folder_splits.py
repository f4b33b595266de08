"""Which folders of a folder are splits, and which are classes."""

import re
import warnings
from pathlib import Path

from autoreg.datasets.images.image_folders import class_folders, images_in
from autoreg.errors import DataError, DataWarning

#: What people call the folders of the splits, in small letters.
SPLITS = {"train": ("train", "training"), "validation": ("val", "validation", "valid"), "test": ("test", "testing")}
_LIKE_A_SPLIT = re.compile("train|val|test|dev|eval", re.IGNORECASE)


def find_splits(base: Path) -> dict[str, Path]:
    """Return the folder of each split: those in the given one, or this alone, for training, if its folders are classes.

    A folder `train` with images, and not with folders of them, is a class among others. With both it is a split if
    all folders are called as splits are.

    Raises:
        DataError: two folders are one split, or there are splits and none for training, or splits look like classes.

    Warns:
        DataWarning: other folders lie beside `train`.
    """
    there = class_folders(base)
    named = {part: [name for name in there if name.casefold() in names] for part, names in SPLITS.items()}
    are_splits = set(there) == {name for names in named.values() for name in names}
    if not any(
        _holds_classes(base / name) or (are_splits and len(class_folders(base / name)) > 1) for name in named["train"]
    ):
        if others := [f"{name}/" for names in named.values() for name in names if _holds_classes(base / name)]:
            raise DataError(f"{base} has {' and '.join(others)} with class folders, but no train/")
        _refuse_splits_as_classes(base, there)
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


def _refuse_splits_as_classes(base: Path, classes: list[str]) -> None:
    """Raise DataError if classes have the same folders, and these or those are called nearly as splits are."""
    called = [name for name in classes if _LIKE_A_SPLIT.match(name)]
    alike = called if len(called) > 1 else classes[:2]  # where splits lie in each class, two show it
    shared = sorted(set.intersection(*(set(class_folders(base / name)) for name in alike))) if len(alike) > 1 else []
    if len(shared) > 1 and (called or any(map(_LIKE_A_SPLIT.match, shared))):
        raise DataError(
            f"{base}: {alike[0]}/ and {alike[1]}/ both have the folders {shared[0]}/ and {shared[1]}/: splits must be "
            "called train/, val/ and test/ and hold the class folders, without images beside these"
        )


def _holds_classes(folder: Path) -> bool:
    """Whether a folder has folders, and no image itself."""
    return bool(class_folders(folder)) and not images_in(folder, deep=False).names
