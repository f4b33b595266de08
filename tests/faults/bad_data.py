"""Data folders with something wrong, and what is said of each."""

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import polars as pl

from tests.helpers.imagenet_layouts import encoded

Prepare = Callable[[Path], object]


def nothing(folder: Path) -> None:
    """Leave the folder as it is."""


def image_folders(train: list[str], val: list[str], empty: list[str] = []) -> Prepare:  # noqa: B006
    """Folders of images: the classes of each split, and more folders without an image."""

    def make(folder: Path) -> None:
        for place in [f"{split}/{name}" for split, names in (("train", train), ("val", val)) for name in names]:
            (folder / "imagenet" / place).mkdir(parents=True)
            for number in range(6):
                (folder / "imagenet" / place / f"{number}.JPEG").write_bytes(encoded(number))
        for place in empty:
            (folder / "imagenet" / place).mkdir(parents=True)

    return make


def flat_val(folder: Path) -> None:
    image_folders(CLASSES, [], ["val"])(folder)
    (folder / "imagenet/val/ILSVRC2012_val_00000001.JPEG").write_bytes(encoded(1))


def batches(*names: str) -> Prepare:
    """CIFAR-10's folder with some of its files, and not with what belongs in them."""

    def make(folder: Path) -> None:
        (folder / "cifar-10-batches-py").mkdir()
        for name in names:
            (folder / "cifar-10-batches-py" / name).write_bytes(b"changed")

    return make


def tarball(*members: tarfile.TarInfo) -> Prepare:
    """CIFAR-10's archive with these members."""

    def make(folder: Path) -> None:
        with tarfile.open(folder / "cifar-10-python.tar.gz", "w:gz") as archive:
            for member in members:
                archive.addfile(member)

    return make


def link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


def parquet(image: bytes, rows: int) -> Prepare:
    """CIFAR-10's Parquet files with one image again and again."""

    def make(folder: Path) -> None:
        column = pl.Series("img", [{"bytes": image, "path": None}]).new_from_index(0, rows)
        for split in ("train", "test"):
            pl.DataFrame({"img": column, "label": [0] * rows}).write_parquet(folder / f"{split}-0.parquet")

    return make


def pipe_among_images(folder: Path) -> None:
    image_folders(CLASSES, CLASSES)(folder)
    os.mkfifo(folder / "imagenet/train/n01440764/6.JPEG")


def pipe_for_parquet(folder: Path) -> None:
    (folder / "imagenet").mkdir()
    os.mkfifo(folder / "imagenet/train-0.parquet")


def ids_for_labels(folder: Path) -> None:
    image_folders([], [], ["."])(folder)
    images = [{"bytes": encoded(number), "path": None} for number in range(3)]
    frame = pl.DataFrame({"image": images, "label": [0, 1, 2**60]})
    frame.write_parquet(folder / "imagenet/train-0.parquet")


CLASSES = ["n01440764", "n01443537"]
CIFAR10 = ["dataset={name: cifar10, root: .}", "network=alexnet"]
IMAGENET = ["dataset={name: imagenet, root: ., train_size: 6, validation_size: 2, test_size: 2}", "network=resnet18",
            "training.batch_size=2"]  # fmt: skip
PARQUET = ["dataset={name: parquet, root: ., folder: imagenet}", "network=resnet18"]
DATA: dict[str, tuple[Prepare, list[str], str]] = {
    "no data at all": (nothing, ["dataset=cifar10"], "CIFAR-10 needs files: set AUTOREG_DATA"),
    "a data folder that is not there": (
        nothing, ["dataset={name: cifar10, root: nowhere}"], "the data folder nowhere does not exist"),
    "a data folder that is a file": (
        nothing, ["dataset={name: cifar10, root: file}"], "the data folder file does not exist"),
    "a data folder with something else": (nothing, CIFAR10, "no CIFAR-10 in .: looked for cifar-10-batches-py/"),
    "a batch that is missing": (batches("test_batch"), CIFAR10, "missing: cifar-10-batches-py/data_batch_1, cifar-10"),
    "a wrong checksum": (
        batches("test_batch", *(f"data_batch_{number}" for number in range(1, 6))), CIFAR10,
        "data_batch_1 of CIFAR-10 is damaged: its MD5 sum is 8977dfac2f8e04cb96e66882235f5aba, should be c99cafc1"),
    "a tarball that is none": (
        lambda folder: (folder / "cifar-10-python.tar.gz").write_bytes(b"<html>"),
        CIFAR10, "cifar-10-python.tar.gz is damaged: file could not be opened successfully"),
    "a tar member that leaves its folder": (
        tarball(tarfile.TarInfo("../escaped"), tarfile.TarInfo("/escaped")), CIFAR10,
        "cifar-10-python.tar.gz is damaged: \"filename"),
    "a tar member that is a link elsewhere": (
        tarball(link("cifar-10-batches-py/data_batch_1", "/etc/passwd")), CIFAR10, "cifar-10-python.tar.gz"),
    "an unreadable image": (
        parquet(b"no image", 20), CIFAR10, "image in row 0 of train-0.parquet cannot be read as an image"),
    "too few images": (parquet(b"", 7), CIFAR10, "CIFAR-10's train split has 20 images, got 7"),
    "no image folder": (
        nothing, IMAGENET, "the folder imagenet does not exist (option `folder` below AUTOREG_DATA"),
    "an image folder without images": (
        image_folders([], [], ["other"]), IMAGENET, "no ImageNet in imagenet: looked for train/"),
    "no class folders": (image_folders([], [], ["train", "val"]), IMAGENET, "imagenet/train has no class folders"),
    "a class folder without images": (
        image_folders(CLASSES, CLASSES, ["train/n02102040"]), IMAGENET,
        "class folder imagenet/train/n02102040 has no images (.bmp, .gif, "),
    "no validation images": (image_folders(CLASSES, []), IMAGENET, "imagenet has no val/; `test: train` holds"),
    "a flat validation folder": (flat_val, IMAGENET, "imagenet/val has images but no class folders: put Kaggle's"),
    "a pipe among images": (pipe_among_images, IMAGENET, "n01440764/6.JPEG is not a file, but a folder, a pipe,"),
    "a pipe for a Parquet file": (pipe_for_parquet, PARQUET, "imagenet/train-0.parquet is not a file, but a folder,"),
    "labels that are ids": (
        ids_for_labels, PARQUET, "labels must number the classes, 0 to 131,071, got 1,152,921,504,606,846,976"),
    "class folders that differ": (
        image_folders(CLASSES, [CLASSES[0], "n02102040"]), IMAGENET,
        "classes of val and of train differ, 2 and 2; only in one of them: n01443537, n02102040"),
}  # fmt: skip
