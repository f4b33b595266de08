"""Which Parquet files hold a split: all shards of one set, and of no other."""

import re
import warnings
from collections.abc import Sequence
from pathlib import Path

from autoreg.datasets.images.content import state_of
from autoreg.errors import DataError, DataWarning

#: What people call the files of the splits.
FILES = {"train": ("train",), "validation": ("validation", "val", "valid"), "test": ("test",)}
#: The hub once added a hash to it; others give the number alone.
_SHARD = re.compile(r".+?-(?P<number>\d+)-of-(?P<count>\d+)(-\w+)?|[^-]+-(?P<alone>\d+)")
#: Larger numbers alone are years, dates or times.
_LAST_ALONE = 999


def find_parts(*folders: Path) -> dict[str, list[Path]]:
    """Return the files of each split, in order, in the one folder that has some; of none if none has any to train on.

    Raises:
        DataError: two folders have files, or those of a split are not all of one set.

    Warns:
        DataWarning: there are files of no split, also in folders or with another spelling.
    """
    found = {folder: parts for folder in folders if (parts := _parts_in(folder))}
    if len(found) > 1:
        raise DataError(f"{' and '.join(map(str, found))} both have Parquet files of splits; keep one of them")
    parts = next(iter(found.values()), {})
    if "train" not in parts:
        return {}
    for paths in parts.values():
        _require_one_set(paths)
    folder = parts["train"][0].parent
    # Not deeper: a million other images may lie below.
    found_here = (path for pattern in ("*", "[!.]*/*") for path in folder.glob(pattern))
    there = {path for path in found_here if path.suffix.casefold() == ".parquet"}
    if others := sorted(there - {path for paths in parts.values() for path in paths}):
        line = f"{folder}: Parquet files of no split, which are not read: {len(others)}, such as {others[0].name}"
        warnings.warn(DataWarning(line), stacklevel=2)
    return parts


def _parts_in(folder: Path) -> dict[str, list[Path]]:
    parts = {part: _files(folder, names) for part, names in FILES.items()}
    return {part: paths for part, paths in parts.items() if paths}


def _files(folder: Path, names: Sequence[str]) -> list[Path]:
    there = {name: [path for end in ("", "-*") for path in folder.glob(f"{name}{end}.parquet")] for name in names}
    there = {name: sorted(paths) for name, paths in there.items() if paths}
    if len(there) > 1:
        raise _several_sets(*(paths[0] for paths in there.values()))
    found = next(iter(there.values()), [])
    for path in found:
        state_of(path)  # refuses a pipe, which Arrow would wait for
    return found


def _require_one_set(paths: Sequence[Path]) -> None:
    """Raise DataError unless the files are all shards of a set, as their numbers say, or none has a number."""
    shards = {path: _SHARD.fullmatch(path.stem) for path in paths}
    kinds = {
        path: (match["count"] or "") if match else ("" if "-" in path.stem else path.stem)
        for path, match in shards.items()
    }
    by_kind = {kind: path for path, kind in kinds.items()}
    if len(by_kind) > 1:
        raise _several_sets(*by_kind.values())
    [of] = by_kind
    numbers: dict[int, Path] = {}
    for path, match in shards.items():
        if match is None:
            return
        number = int(match["number"] or match["alone"])
        if other := numbers.get(number):
            raise _several_sets(other, path)
        numbers[number] = path
    if not of and max(numbers) > _LAST_ALONE:
        return
    count = int(of or max(numbers) + (0 in numbers))
    if sorted(numbers) not in (list(range(count)), list(range(1, count + 1))):
        line = f"{paths[0].parent} has {len(numbers)} of {count} shards such as {paths[0].name}; all are needed"
        raise DataError(line if of else f"{line}, or other names than numbers alone")


def _several_sets(one: Path, other: Path, *_: Path) -> DataError:
    return DataError(
        f"{one.parent}: {one.name} and {other.name} are of two sets, which may hold the same images; keep one of them"
    )
