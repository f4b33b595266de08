"""What a stranger may have planted among images: it is read as data or refused, and leads nowhere else."""

import io
import sys
import tarfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from autoreg.datasets import datasets
from autoreg.datasets.images import cifar10_files
from autoreg.datasets.images.cifar10_files import FOLDER, TARBALL, load_images
from autoreg.datasets.images.pixels import VERSION
from autoreg.errors import DataError
from tests.helpers.imagenet_layouts import write_folders
from tests.helpers.planted import Planted


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOREG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _member(archive: tarfile.TarFile, name: str, kind: bytes, target: str = "", size: int = 0) -> None:
    member = tarfile.TarInfo(f"{FOLDER}/{name}")
    member.type, member.linkname, member.size = kind, target, size
    archive.addfile(member, io.BytesIO(bytes(size)))


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.SYMTYPE, "data_batch_1"),
        (tarfile.LNKTYPE, f"{FOLDER}/data_batch_1"),
        (tarfile.CHRTYPE, ""),
        (tarfile.FIFOTYPE, ""),
        (tarfile.DIRTYPE, ""),
    ],
    ids=["link outside", "link to itself", "hard link to itself", "device", "pipe", "folder"],
)
def test_a_batch_in_a_tarball_is_a_plain_file(tmp_path: Path, kind: bytes, target: str) -> None:
    with tarfile.open(tmp_path / TARBALL, "w:gz") as archive:
        _member(archive, "data_batch_1", kind, target)
    with pytest.raises(DataError, match="data_batch_1 is no plain file"):
        load_images(tmp_path)


def test_a_batch_that_would_fill_the_memory_is_not_unpacked(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / TARBALL, "w:gz") as archive:
        _member(archive, "data_batch_1", tarfile.REGTYPE, size=(1 << 26) + 1)
    with pytest.raises(DataError, match="at most 67,108,864 bytes"):
        load_images(tmp_path)


@pytest.mark.parametrize("file", ["images", "labels"])
@pytest.mark.parametrize("content", ["a pickle", "half", "another shape"])
def test_a_planted_or_damaged_cache_is_named_and_not_run(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, file: str, content: str
) -> None:
    cache.mkdir()
    whole = {"images": np.zeros((60_000, 3, 1, 1), np.uint8), "labels": np.zeros(60_000, np.int64)}
    monkeypatch.setattr(cifar10_files, "SHAPE", (60_000, 3, 1, 1))
    paths = {"images": cache / f"cifar10-0-v{VERSION}.npy", "labels": cache / f"cifar10-0-v{VERSION}.labels.npy"}
    for name, path in paths.items():
        np.save(path, whole[name])
    monkeypatch.setattr(cifar10_files, "_find", lambda root: ("0", lambda: pytest.fail("it is there")))
    load_images(tmp_path)
    if content == "a pickle":
        np.save(paths[file], np.array([Planted(tmp_path / "owned")], dtype=object), allow_pickle=True)
    elif content == "half":
        paths[file].write_bytes(paths[file].read_bytes()[:1000])
    else:
        np.save(paths[file], np.zeros(3))
    with pytest.raises(DataError, match=rf"{paths[file].name} is damaged: .*; delete it"):
        load_images(tmp_path)
    assert not (tmp_path / "owned").exists()


def _image_file(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("image", "label", "message"),
    [
        (_image_file(20_000, 20_000), [0], "row 0"),
        (_image_file(5_000, 5_000), [0], "row 0 of .* must be 32×32, got 5000×5000"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), [0], "image in row 0 of .* cannot be read as an image"),
        (_image_file(32, 32), [0.5], "column 'label'"),
        (_image_file(32, 32), pl.Series([None], dtype=pl.Int64), "the image in row 0 has no label, got None"),
    ],
    ids=["a decompression bomb", "a large image", "a broken image", "a label that is no class", "no label"],
)
def test_hostile_parquet_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: bytes, label: object, message: str
) -> None:
    monkeypatch.setattr(cifar10_files, "COUNTS", {"train": 1, "test": 1})
    frame = pl.DataFrame({"img": [{"bytes": image, "path": None}], "label": label})
    for split in ("train", "test"):
        frame.write_parquet(tmp_path / f"{split}-0.parquet")
    with pytest.raises(DataError, match=message):
        load_images(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow no such file name")
@pytest.mark.parametrize("place", ["train/n01440764/\udcff.JPEG", "train/n\udcff/1.JPEG"])
def test_a_file_name_that_is_no_text_is_told(tmp_path: Path, place: str) -> None:
    base = write_folders(tmp_path / "imagenet")
    (base / place).parent.mkdir(exist_ok=True)
    (base / place).write_bytes(b"image")
    with pytest.raises(DataError, match=r"must be UTF-8, got .*\\udcff"):
        datasets["imagenet"](tmp_path, validation_size=1)
