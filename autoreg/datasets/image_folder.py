"""Pictures of one's own, in folders named by their classes, as squares of one size."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from PIL import Image, ImageOps
from pydantic import AfterValidator, Field
from torch import Tensor
from torch.nn import functional

from autoreg.datasets.cache import cache_folder
from autoreg.datasets.cifar10_pictures import random_crops
from autoreg.datasets.dataset import Dataset, datasets
from autoreg.datasets.imagenet import below_the_root
from autoreg.datasets.picture_folders import FolderPictures, class_folders, joined, labelled_folders
from autoreg.datasets.split import Split
from autoreg.datasets.streamed import StreamedSplit
from autoreg.errors import ConfigError, DataError, first_line
from autoreg.runs import write_atomically
from autoreg.seeds import derive_seed

#: What people call the folders of the splits.
FOLDERS = {"train": ("train", "training"), "validation": ("val", "validation", "valid"), "test": ("test",)}
#: Share of a picture's side by which it is shifted at most, as CIFAR-10's are by 4 of 32 pixels.
SHIFT = 1 / 8


@datasets.register
def image_folder(
    root: Path | None,
    *,
    folder: Annotated[str, AfterValidator(below_the_root)] = ".",
    size: Annotated[int, Field(ge=8, le=1024)] = 64,
    validation_share: Annotated[float, Field(gt=0, le=0.5)] = 0.15,
    test_share: Annotated[float, Field(gt=0, le=0.5)] = 0.15,
) -> Dataset:
    """Return pictures that lie in `<class>/*.jpg` (or JPEG, PNG), below the data root, as size×size squares.

    The folder holds the class folders, or `train/` with them, and `val/` and `test/` if there are such splits. What is
    missing is held out from the training pictures, with a fixed seed: the same share of every class, and one picture
    at least. The shorter side of a picture is resized to `size` and the middle is taken; channels are standardised by
    the training pictures. Augmentation shifts by up to an eighth, in a black frame, and flips half of the time.

    Decoded pictures are kept in the cache and in memory, 3·size² bytes each.

    Raises:
        DataError: there is no such folder, a class has no pictures, or one cannot be read.
        ConfigError: a class has too few pictures to hold some out.
    """
    base = _find(root, folder)
    parts = _parts(base)
    found = {split: labelled_folders(place) for split, place in parts.items()}
    classes = found["train"].classes
    for split, pictures in found.items():
        if pictures.classes != classes:
            odd = sorted(set(pictures.classes) ^ set(classes))
            raise DataError(f"{base}: classes of {parts[split].name} and of train differ: {', '.join(odd[:3])}")
    splits = {split: _decoded(pictures, size) for split, pictures in found.items()}
    shares = {"validation": validation_share, "test": test_share}
    splits |= _held_out(splits["train"], {name: shares[name] for name in shares if name not in splits}, classes)
    deviation, mean = torch.std_mean(splits["train"].inputs.float(), (0, 2, 3), correction=0, keepdim=True)
    deviation = deviation.clamp_min(1.0)  # of a channel that is the same everywhere

    def prepare(pictures: Tensor) -> Tensor:
        return (pictures.float() - mean.to(pictures.device)) / deviation.to(pictures.device)

    def augment(pictures: Tensor, generator: torch.Generator) -> Tensor:
        framed = functional.pad(pictures, [max(1, int(size * SHIFT))] * 4)
        return prepare(random_crops(framed, size, generator))

    return Dataset(
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        input_shape=(3, size, size),
        classes=len(classes),
        fingerprint=joined(pictures.fingerprint for pictures in found.values()),
        prepare=prepare,
        augment=augment,
    )


def _find(root: Path | None, folder: str) -> Path:
    if root is None:
        raise DataError("image_folder needs pictures: set dataset.root, or AUTOREG_DATA, to the folder that has them")
    if not (root / folder).is_dir():
        raise DataError(
            f"the folder {root / folder} does not exist (option `folder` below AUTOREG_DATA or dataset.root)"
        )
    return root / folder


def _parts(base: Path) -> dict[str, Path]:
    """Return the folder of each split that has one; without `train`, all pictures are training pictures."""
    there = set(class_folders(base))
    parts = {split: base / name for split, names in FOLDERS.items() for name in names if name in there}
    return parts if "train" in parts else {"train": base}


@dataclass(frozen=True)
class _Squares:
    """The middle of a picture, as its camera was held."""

    size: int

    def draw(self, count: int, generator: torch.Generator) -> list[list[float]]:
        return [[] for _ in range(count)]  # the middle of a picture is no matter of chance

    def crop(self, picture: Image.Image, drawn: Sequence[float] | None) -> Image.Image:
        return ImageOps.fit(ImageOps.exif_transpose(picture), (self.size, self.size), Image.Resampling.BILINEAR)


def _decoded(pictures: FolderPictures, size: int) -> Split:
    """Return all pictures, decoded once for this and every later process."""
    cached = cache_folder() / f"image_folder-{pictures.fingerprint}-{size}.npy"
    shape = (len(pictures.labels), 3, size, size)
    if not cached.is_file():
        rows = torch.arange(len(pictures.labels))
        split = StreamedSplit(pictures, rows, pictures.labels, _Squares(size))
        write_atomically(cached, partial(_save, split=split, shape=shape))
    try:
        array: np.ndarray[Any, Any] = np.load(cached, mmap_mode="c")  # the pages are shared by all workers
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"{cached} is damaged: {first_line(error)}; delete it") from error
    if array.shape != shape or array.dtype != np.uint8:
        raise DataError(f"{cached} is damaged: {array.shape} {array.dtype}, should be {shape} uint8; delete it")
    return Split(torch.from_numpy(array), pictures.labels)


def _save(path: Path, split: StreamedSplit, shape: tuple[int, ...]) -> None:
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    done = 0
    for decoded, _ in split.batches(256):
        array[done : done + len(decoded)] = decoded.numpy()
        done += len(decoded)
    array.flush()


def _held_out(split: Split, shares: dict[str, float], classes: list[str]) -> dict[str, Split]:
    """Return splits with the given shares of each class, in an order of their own, and as `train` what is left."""
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(derive_seed("image_folder")))
    owner = torch.zeros(len(split), dtype=torch.int64)  # 0 is for training
    for label, name in enumerate(classes):
        own = order[split.labels[order] == label]
        counts = [max(1, round(share * len(own))) for share in shares.values()]
        if sum(counts) >= len(own):
            raise ConfigError(f"class {name!r} has {len(own)} pictures, too few to hold {sum(counts)} of them out")
        for place, chosen in enumerate(torch.split(own[: sum(counts)], counts), start=1):
            owner[chosen] = place
    rows = {"train": (owner == 0).nonzero()[:, 0]}
    rows |= {name: order[owner[order] == place] for place, name in enumerate(shares, start=1)}
    return {name: Split(split.inputs[chosen], split.labels[chosen]) for name, chosen in rows.items()}
