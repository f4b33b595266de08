"""The folder of a dataset below the data root."""

from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator

from autoreg.errors import DataError


def below_the_root(folder: str) -> str:
    """Return a relative path that does not leave where it starts. Raises ValueError for any other."""
    path = PurePosixPath(folder)
    if path.is_absolute() or ".." in path.parts or "\\" in folder or not folder:
        raise ValueError("should be a folder below the data root, without '..'")
    return folder


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
