"""Reads CIFAR-10 in each form in which people have it, and keeps the decoded images in a cache that workers share."""

import hashlib
import io
import pickle
import tarfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autoreg.datasets.images.cache import Array, cache_folder, cached_array, hash_files, save_array
from autoreg.datasets.images.parquet_columns import find_columns
from autoreg.datasets.images.parquet_files import LabelledParquet
from autoreg.datasets.images.parquet_shards import find_parts
from autoreg.datasets.images.pixels import VERSION, remarks_of
from autoreg.errors import DataError, first_line
from autoreg.files import write_atomically

FOLDER = "cifar-10-batches-py"
TARBALL = "cifar-10-python.tar.gz"
COUNTS = {"train": 50_000, "test": 10_000}
SHAPE = (60_000, 3, 32, 32)
#: The official batches and their MD5 sums, in the order of the images.
BATCHES = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
#: Bytes; the official batches have 31 million each.
LARGEST_BATCH = 1 << 26

Read = Callable[[], tuple[Array, Array]]


def load_images(root: Path | None) -> tuple[Tensor, Tensor, str]:
    """Return all images, uint8 [60000, 3, 32, 32], training ones first, their labels, and the files' fingerprint.

    Args:
        root: a folder that holds, directly or in a folder `cifar10`, one of `cifar-10-batches-py/`,
            `cifar-10-python.tar.gz` or the Hugging Face layout `train-*.parquet` and `test-*.parquet`.

    Raises:
        DataError: there is no such file, or one is damaged.
    """
    fingerprint, read = _find(root)
    cached = cache_folder() / f"cifar10-{fingerprint}-v{VERSION}.npy"
    labels_path = cached.with_suffix(".labels.npy")
    if not (cached.is_file() and labels_path.is_file()):
        images, labels = read()
        if images.shape != SHAPE or set(labels.tolist()) != set(range(10)):
            raise DataError(f"CIFAR-10 has 60,000 images of 10 classes, found {images.shape[0]} in {root}")
        save_array(cached, images)
        save_array(labels_path, labels)
    # Copy-on-write mapping: every worker sees the same pages of the one file.
    images = cached_array(cached, SHAPE, np.uint8, mmap_mode="c")
    labels = cached_array(labels_path, SHAPE[:1], np.int64)
    return torch.from_numpy(images), torch.from_numpy(labels), fingerprint


def _find(root: Path | None) -> tuple[str, Read]:
    if root is None:
        raise DataError(
            "CIFAR-10 needs files: set AUTOREG_DATA or dataset.root, or run `autoreg data cifar10 --root DIR`"
        )
    if not root.is_dir():
        raise DataError(f"the data folder {root} does not exist (AUTOREG_DATA or dataset.root)")
    for folder in (root, root / "cifar10"):
        if (folder / FOLDER).is_dir():
            files = [folder / FOLDER / name for name in BATCHES]
            missing = [str(path) for path in files if not path.is_file()]
            if missing:
                raise DataError(f"CIFAR-10 is incomplete, missing: {', '.join(missing)}")
            return hash_files(files), partial(_read_folder, folder / FOLDER)
        if (folder / TARBALL).is_file():
            return hash_files([folder / TARBALL]), partial(_read_tarball, folder / TARBALL)
        if parts := find_parts(folder):
            if "test" not in parts:
                raise DataError(f"{folder} has no test-*.parquet")
            return hash_files([*parts["train"], *parts["test"]]), partial(_read_parquet, parts)
    raise DataError(
        f"no CIFAR-10 in {root}: looked for {FOLDER}/, {TARBALL} and train-*.parquet, also in {root}/cifar10"
    )


class _ArraysOnly(pickle.Unpickler):
    """Unpickles the official batches: dicts, bytes, lists and NumPy arrays, and nothing that could run code."""

    _ALLOWED = {"_reconstruct", "ndarray", "dtype", "_frombuffer", "encode"}  # noqa: RUF012

    def find_class(self, module: str, name: str) -> Any:
        if name in self._ALLOWED and module.split(".")[0] in {"numpy", "_codecs"}:
            return super().find_class(module.replace("numpy.core", "numpy._core"), name)
        raise pickle.UnpicklingError(f"{module}.{name} does not belong into a CIFAR-10 batch")


def _read_batches(read: Callable[[str], bytes]) -> tuple[Array, Array]:
    images, labels = [], []
    for name, checksum in BATCHES.items():
        content = read(name)
        checksum_read = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if checksum_read != checksum:
            raise DataError(f"{name} of CIFAR-10 is damaged: its MD5 sum is {checksum_read}, should be {checksum}")
        try:
            batch = _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
        except (pickle.UnpicklingError, EOFError, ValueError) as error:
            raise DataError(f"{name} of CIFAR-10 cannot be read: {error}") from error
        images.append(batch[b"data"].reshape(-1, 3, 32, 32))
        labels.append(np.asarray(batch[b"labels"], dtype=np.int64))
    return np.concatenate(images), np.concatenate(labels)


def _read_folder(folder: Path) -> tuple[Array, Array]:
    return _read_batches(lambda name: (folder / name).read_bytes())


def _read_tarball(path: Path) -> tuple[Array, Array]:
    def member(name: str) -> bytes:  # read by its one known name, so nothing is ever extracted to disk
        entry = archive.getmember(f"{FOLDER}/{name}")
        file = archive.extractfile(entry) if entry.isreg() and entry.size <= LARGEST_BATCH else None
        if file is None:  # a link would be followed, to another member or to itself
            raise DataError(f"{path}: {FOLDER}/{name} is no plain file of at most {LARGEST_BATCH:,} bytes")
        return file.read()

    try:
        with tarfile.open(path) as archive:
            return _read_batches(member)
    except (tarfile.TarError, EOFError, OSError, KeyError) as error:
        raise DataError(f"{path} is damaged: {first_line(error).rstrip(':')}") from error


def _read_parquet(parts: Mapping[str, list[Path]]) -> tuple[Array, Array]:
    images, labels, columns = [], [], find_columns(parts["train"], "img", "label")
    for split, count in COUNTS.items():
        files = LabelledParquet.load(parts[split], columns)
        if len(files.labels) != count:
            raise DataError(
                f"{parts[split][0].parent}: CIFAR-10's {split} split has {count} images, got {len(files.labels)}"
            )
        with ThreadPoolExecutor() as pool:
            decoded = list(pool.map(lambda image: image(), files.images(size=(32, 32))))
        if remarks := [remark for image in decoded for remark in remarks_of(image)]:
            raise DataError(f"{parts[split][0].parent}: some images {remarks[0]}, and none of CIFAR-10 do")
        images.append(np.stack([np.asarray(image).transpose(2, 0, 1) for image in decoded]))
        labels.append(files.labels.numpy())
    return np.concatenate(images), np.concatenate(labels)


def download(root: Path) -> None:
    """Fetch the official archive into a folder, unless what is there already is whole; nothing is taken out of it.

    Raises:
        DataError: it could not be fetched, has not the official checksum, or a folder of damaged batches is there.
    """
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import check_integrity, download_url

    if (root / FOLDER).is_dir():  # is read before the archive
        _, read = _find(root)
        read()
        return
    if check_integrity(root / TARBALL, CIFAR10.tgz_md5):
        return
    try:
        write_atomically(
            root / TARBALL, lambda path: download_url(CIFAR10.url, path.parent, path.name, CIFAR10.tgz_md5)
        )
    except (OSError, RuntimeError, HTTPException) as error:
        raise DataError(f"CIFAR-10 could not be fetched: {first_line(error)}") from error
