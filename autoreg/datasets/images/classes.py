"""The classes of a dataset, which all of its splits must share."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from autoreg.errors import DataError


def count_classes(labels: Mapping[str, Tensor], folder: Path) -> int:
    """Return the number of classes: one more than the highest training label.

    Args:
        labels: int64, [images], of each split, `train` among them.
        folder: where they come from, for messages.

    Raises:
        DataError: another split has higher labels.
    """
    highest = {split: int(values.max()) for split, values in labels.items()}
    for split, label in highest.items():
        if label > highest["train"]:
            raise DataError(
                f"{folder}: classes of {split} and of train differ: labels up to {label} and {highest['train']}"
            )
    return highest["train"] + 1


def require_same_classes(names: Mapping[str, list[str]], folder: Path) -> None:
    """Raise DataError unless each split's classes, by name, are those of `train`."""
    for split, classes in names.items():
        odd = sorted(set(classes) ^ set(names["train"]))
        if odd:
            raise DataError(
                f"{folder}: classes of {split} and of train differ, {len(classes)} and {len(names['train'])}; "
                f"only in one of them: {', '.join(odd[:3])}{', …' if len(odd) > 3 else ''}"
            )
