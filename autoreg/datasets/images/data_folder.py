"""The folder of a dataset below the data root, and the classes that its splits must share."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator
from torch import Tensor

from autoreg.errors import DataError, DataWarning


def below_the_root(folder: str) -> str:
    """Return a relative path that does not leave where it starts. Raises ValueError for any other."""
    path = PurePosixPath(folder)
    if path.is_absolute() or ".." in path.parts or "\\" in folder or not folder:
        raise ValueError("should be a folder below the data root, without '..'")
    return folder


#: Labels from here on are something else than numbers of classes, for each of which a network has an output.
MOST_CLASSES = 2**17
#: The option `folder` of a dataset.
Folder = Annotated[str, AfterValidator(below_the_root)]


def data_folder(root: Path | None, folder: str, dataset: str) -> Path:
    """Return a folder below the data root. Raises DataError if there is no root, or no such folder.

    Args:
        root: the folder that holds data, or None if nothing names it.
        folder: the option of that name.
        dataset: what needs it, for messages.
    """
    if root is None:
        raise DataError(f"{dataset} needs files: set AUTOREG_DATA or dataset.root to the folder that has them")
    if not (root / folder).is_dir():
        raise DataError(
            f"the folder {root / folder} does not exist (option `folder` below AUTOREG_DATA or dataset.root)"
        )
    return root / folder


def count_classes(labels: Mapping[str, Tensor], folder: Path, names: Sequence[str] = ()) -> int:
    """Return the number of classes: one more than the highest training label.

    Args:
        labels: int64, [images], of each split, `train` among them.
        folder: where they come from, for messages.
        names: of the classes, if they have some.

    Raises:
        DataError: another split has higher labels; there is one class alone; labels without names do not begin at 0, or
            go beyond `MOST_CLASSES`.

    Warns:
        DataWarning: a class has no training image.
    """
    highest = {split: int(values.max()) for split, values in labels.items()}
    if highest["train"] >= MOST_CLASSES:
        raise DataError(
            f"{folder}: labels must number the classes, 0 to {MOST_CLASSES - 1:,}, got {highest['train']:,}"
        )
    for split, label in highest.items():
        if label > highest["train"]:
            raise DataError(
                f"{folder}: classes of {split} and of train differ: labels up to {label} and {highest['train']}"
            )
    present, count = set(labels["train"].tolist()), highest["train"] + 1
    if len(present) < 2:
        raise DataError(f"{folder}: there must be two classes at least, all training images have the label {count - 1}")
    if 0 not in present and not names:
        raise DataError(f"{folder}: labels must number the classes from 0, got {min(present)} to {count - 1}")
    if len(present) < (known := max(count, len(names))):
        first = next(label for label in range(known) if label not in present)
        name = f" ({names[first]})" if first < len(names) else ""
        missing = f"{known - len(present)} of {known} classes have no training image, the first of them {first}{name}"
        warnings.warn(DataWarning(f"{folder}: {missing}"), stacklevel=2)
    return count


def require_same_classes(names: Mapping[str, list[str]], folder: Path) -> None:
    """Raise DataError unless each split's classes, by name, are those of `train`."""
    for split, classes in names.items():
        odd = sorted(set(classes) ^ set(names["train"]))
        if odd:
            raise DataError(
                f"{folder}: classes of {split} and of train differ, {len(classes)} and {len(names['train'])}; "
                f"only in one of them: {', '.join(odd[:3])}{', …' if len(odd) > 3 else ''}"
            )
