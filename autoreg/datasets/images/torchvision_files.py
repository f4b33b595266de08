"""Which of torchvision's datasets can be read, how their splits are asked for, and which files are theirs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from autoreg.datasets.images.cache import cache_folder, cached_array, hash_files, hash_texts, save_array
from autoreg.datasets.images.content import Files
from autoreg.datasets.images.pixels import to_rgb
from autoreg.datasets.images.squares import Decoded, Squares, decoded_once
from autoreg.errors import DataError, first_line, with_kind
from autoreg.files import hold

#: Files that earlier versions told apart by name and size, and others by their bytes.
IMAGES = (".jpg", ".jpeg", ".png", ".ppm", ".tif")
#: What torchvision unpacked, and does not read any more.
ARCHIVES = (".gz", ".tgz", ".tar", ".zip")

Arguments = Mapping[str, Any]
_FLAGS: Mapping[str, Arguments] = MappingProxyType({"train": {"train": True}, "test": {"train": False}})
#: The images of what has no loader to replace, and their labels.
_FILES: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "GTSRB": lambda opened: opened._samples,
        "OxfordIIITPet": lambda opened: [*zip(opened._images, opened._labels, strict=True)],
    }
)


def _named(**splits: str) -> Mapping[str, Arguments]:
    return {part: {"split": name} for part, name in splits.items()}


@dataclass(frozen=True)
class Published:
    """One of torchvision's datasets.

    Attributes:
        files: a pattern of its files and folders below the data root.
        splits: the arguments that each split is asked for by; what is missing is held out of the training images.
    """

    files: str
    splits: Mapping[str, Arguments]


#: Labelled images that torchvision reads without unpickling anything.
PUBLISHED = {
    "Caltech101": Published("caltech101", {"train": {}}),
    "Caltech256": Published("caltech256", {"train": {}}),
    "Country211": Published("country211", _named(train="train", validation="valid", test="test")),
    "DTD": Published("dtd", _named(train="train", validation="val", test="test")),
    "EuroSAT": Published("eurosat", {"train": {}}),
    "FGVCAircraft": Published("fgvc-aircraft-2013b", _named(train="train", validation="val", test="test")),
    "FashionMNIST": Published("FashionMNIST", _FLAGS),
    "Flowers102": Published("flowers-102", _named(train="train", validation="val", test="test")),
    "Food101": Published("food-101", _named(train="train", test="test")),
    "GTSRB": Published("gtsrb", _named(train="train", test="test")),
    "KMNIST": Published("KMNIST", _FLAGS),
    "MNIST": Published("MNIST", _FLAGS),
    "OxfordIIITPet": Published("oxford-iiit-pet", _named(train="trainval", test="test")),
    "RenderedSST2": Published("rendered-sst2", _named(train="train", validation="val", test="test")),
    "STL10": Published("stl10_binary", _named(train="train", test="test")),
    "SUN397": Published("SUN397", {"train": {}}),
    "SVHN": Published("*_32x32.mat", _named(train="train", test="test")),
}
#: Those that are pickles, and what reads the same images.
PICKLED = {
    "CIFAR10": "`dataset: cifar10`, which checks them,",
    "CIFAR100": "the Hugging Face hub's Parquet files (`dataset: parquet`)",
}


def hashes_of(name: str, root: Path) -> list[str]:
    """Return the hash of a dataset's files, and that of earlier versions. Raises DataError if there are none."""
    files = [
        file
        for path in sorted(root.glob(PUBLISHED[name].files))
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if file.is_file() and file.suffix not in ARCHIVES and not file.name.startswith(".")
    ]
    if not files:
        raise DataError(f"no {name} in {root}: looked for {PUBLISHED[name].files}; {advice(name, root)}")

    listed = Files.of(root, files)
    texts: tuple[list[str], list[str]] = [name], [name]
    for path, text, content, size in zip(
        files, listed.names.to_pylist(), listed.contents(), listed.states[:, 0], strict=True
    ):
        texts[0].append(f"{text}:{content}")
        texts[1].append(f"{text}:{size if path.suffix.lower() in IMAGES else hash_files([path])}")
    return list(dict.fromkeys(map(hash_texts, texts)))


def advice(name: str, root: Path) -> str:
    """Return how a dataset is fetched."""
    calls = (
        ", ".join([repr(str(root)), *(f"{key}={value!r}" for key, value in arguments.items()), "download=True"])
        for arguments in PUBLISHED[name].splits.values()
    )
    lines = "; ".join(f"{name}({call})" for call in calls)
    return f"Python fetches it: from torchvision.datasets import {name}; {lines}"


def load_split(name: str, part: str, root: Path, fingerprint: str, squares: Squares) -> tuple[Decoded, Tensor]:
    """Return the images of a split and their labels, from the cache once it was decoded.

    Raises:
        DataError: files are missing or damaged, or the cache is.
    """
    images = squares.path(f"torchvision-{name}-{part}-{fingerprint}")
    kept = cache_folder() / f"torchvision-{name}-{part}-{fingerprint}.labels.npy"
    with hold(images.with_name(f".{images.name}.lock")):  # or another process took images for those of a killed one
        if not (images.is_file() and kept.is_file()):
            images.unlink(missing_ok=True)  # a process was killed before it wrote their labels
            opened = _opened(name, part, root)
            collected = np.empty(len(opened), dtype=np.int64)

            def decoded(row: int) -> Image.Image:
                try:
                    image, collected[row] = opened[row]
                    return to_rgb(image if isinstance(image, Image.Image) else Image.open(image))
                except Exception as error:  # each has a format of its own
                    raise _damaged(name, root, error) from error

            decoded_once(images, len(opened), squares, (partial(decoded, row) for row in range(len(opened))))
            save_array(kept, collected)
    labels = torch.from_numpy(cached_array(kept, (-1,), np.int64))
    if not len(labels) or int(labels.min()) < 0:
        raise DataError(f"{name} in {root}: each {part} image needs a label from 0, got {labels[:3].tolist()}")
    return decoded_once(images, len(labels), squares, ()), labels


def _opened(name: str, part: str, root: Path) -> Any:
    """Return what gives each image, or its file, with its label; torchvision makes transparent pixels black."""
    from torchvision import datasets as published

    try:
        opened = getattr(published, name)(str(root), **PUBLISHED[name].splits[part])
    except Exception as error:  # likewise
        if isinstance(error, RuntimeError) and "not found" in str(error):
            raise DataError(f"{name} in {root} is not whole ({first_line(error)}); {advice(name, root)}") from error
        raise _damaged(name, root, error) from error
    if hasattr(opened, "loader"):
        opened.loader = Path
    return _FILES[name](opened) if name in _FILES else opened


def _damaged(name: str, root: Path, error: Exception) -> DataError:
    return DataError(f"{name} in {root} cannot be read: {with_kind(error)}")
