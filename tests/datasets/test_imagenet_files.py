"""ImageNet is found in each layout; what is missing or damaged is told in one line."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from autoreg.datasets.images.encoded import open_image
from autoreg.datasets.images.imagenet_files import Source, find_images
from autoreg.errors import DataError
from tests.helpers.imagenet_layouts import SYNSETS, images, write_folders, write_kaggle, write_parquet


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOREG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def found(base: Path, with_val: bool = True) -> Source:
    return find_images(base.parent, base.name, with_val=with_val)


LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "folders": write_folders,
    "kaggle": write_kaggle,
    "kaggle without ILSVRC": lambda base: write_kaggle(base, "Data/CLS-LOC"),
    "flat val beside its labels": lambda base: write_kaggle(base, "."),
    "parquet": write_parquet,
    "parquet in data": lambda base: write_parquet(base / "data", "val").parent,
    "parquet with a labelled test": lambda base: write_parquet(base, "test", shards=1),
}


@pytest.mark.parametrize("write", LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout_gives_the_same_images_and_labels(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    source = found(write(tmp_path / "imagenet"))
    assert source.classes == 3
    for part, name in ((source.train, "train"), (source.val, "val")):
        assert part is not None
        expected = sorted(
            (SYNSETS.index(synset), open_image(content, name).tobytes()) for synset, _, content in images(name)
        )
        assert sorted((label, part.open(row).tobytes()) for row, label in enumerate(part.labels.tolist())) == expected


@pytest.mark.parametrize("write", [write_folders, write_kaggle, write_parquet])
def test_another_image_is_another_fingerprint(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    base = write(tmp_path / "imagenet")
    fingerprint = found(base).fingerprint
    assert found(base).fingerprint == fingerprint
    path = next(path for path in sorted(base.rglob("*")) if path.suffix in (".JPEG", ".parquet"))
    if path.suffix == ".JPEG":
        path.write_bytes(path.read_bytes() + b"\0")
    else:
        pl.read_parquet(path).reverse()[:-1].write_parquet(path)
    assert found(base).fingerprint != fingerprint


def test_val_is_not_looked_at_when_test_images_come_from_train(tmp_path: Path) -> None:
    for write in (write_folders, write_parquet):
        base = write(tmp_path / write.__name__)
        shutil.rmtree(base / "val", ignore_errors=True)
        for path in base.glob("validation-*"):
            path.unlink()
        assert found(base, with_val=False).val is None


def test_parquet_is_copied_once_and_read_from_the_cache(tmp_path: Path, cache: Path) -> None:
    base = write_parquet(tmp_path / "imagenet")
    first = found(base)
    copies = {path.name: path.stat().st_ino for path in cache.glob("*.arrow")}
    assert len(copies) == 2
    again = found(base)
    assert {path.name: path.stat().st_ino for path in cache.glob("*.arrow")} == copies
    assert again.train.open(11) == first.train.open(11)


def test_an_image_of_parquet_that_is_none_is_named(tmp_path: Path) -> None:
    base = write_parquet(tmp_path / "imagenet", shards=1)
    [path] = base.glob("validation-*")
    _frame(image=[{"bytes": b"x", "path": None}]).write_parquet(path)
    val = found(base).val
    assert val is not None
    with pytest.raises(DataError, match=rf"image in row 0 of the val files in {base} cannot be read as an image"):
        val.open(0)


def test_a_damaged_copy_is_named(tmp_path: Path, cache: Path) -> None:
    base = write_parquet(tmp_path / "imagenet")
    found(base)
    for path in cache.glob("*.arrow"):
        path.write_bytes(b"ARROW1 no more")
    with pytest.raises(DataError, match=r"imagenet-train-.*\.arrow is damaged: .*; delete it"):
        found(base)


def _without(base: Path, *parts: str) -> None:
    for part in parts:
        shutil.rmtree(base / part)


def _rename(base: Path) -> None:
    (base / "val" / SYNSETS[0]).rename(base / "val" / "n99999999")


def _empty(base: Path) -> None:
    for path in (base / "train" / SYNSETS[1]).iterdir():
        path.unlink()


def _flatten(base: Path) -> None:
    for path in list((base / "val").rglob("*.JPEG")):
        path.rename(base / "val" / path.name)
    _without(base, *(f"val/{synset}" for synset in SYNSETS))


def _dangle(base: Path) -> None:
    (base / "train" / SYNSETS[0] / "gone.JPEG").symlink_to(base / "nowhere")


def _archives(base: Path) -> None:
    _without(base, "train")
    (base / "train").mkdir()
    (base / "train" / "n01440764.tar").write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda base: _without(base, "train"), r"no ImageNet in .*imagenet: looked for train/, Data/CLS-LOC/train/"),
        (lambda base: _without(base, "val"), r"imagenet has no val/; `test: train` holds test images out"),
        (_rename, r"classes of val and of train differ, 3 and 3; only in one of them: n01440764, n99999999$"),
        (lambda base: _without(base, "train/n02084071"), r"differ, 3 and 2; only in one of them: n02084071$"),
        (_empty, r"class folder .*n01443537 has no images \(\.bmp, \.gif, "),
        (_archives, r"train has no class folders, one for each class"),
        (
            _flatten,
            r"val has images but no class folders: put Kaggle's LOC_val_solution\.csv into .*imagenet, or sort",
        ),
        (_dangle, r"n01440764 cannot be listed: .*gone\.JPEG"),
    ],
)
def test_folders_that_do_not_fit_are_told(tmp_path: Path, damage: Callable[[Path], None], message: str) -> None:
    base = write_folders(tmp_path / "imagenet")
    damage(base)
    with pytest.raises(DataError, match=message):
        found(base)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ImageId,PredictionString\nother,n01440764 1 2 3 4\n", r"solution\.csv has no label for .*val/n01440764_0"),
        ("ImageId\nother\n", r"solution\.csv: should have columns ImageId, PredictionString"),
        ("ImageId,PredictionString\nother,\n", r"solution\.csv: should have columns ImageId, PredictionString"),
    ],
)
def test_kaggles_labels_that_do_not_fit_are_told(tmp_path: Path, text: str, message: str) -> None:
    base = write_kaggle(tmp_path / "imagenet")
    (base / "LOC_val_solution.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        found(base)


def test_an_empty_flat_val_is_told(tmp_path: Path) -> None:
    base = write_kaggle(tmp_path / "imagenet", ".")
    for path in (base / "val").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"val has no images"):
        found(base)


def _frame(**columns: Any) -> pl.DataFrame:
    image = pl.Series([{"bytes": b"x", "path": None}], dtype=pl.Struct({"bytes": pl.Binary, "path": pl.String}))
    return pl.DataFrame({"image": image, "label": [0], **columns}).select(pl.exclude(pl.Null))


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (_frame(label=[-1]), r"validation-.*: the image in row 0 has no label, got -1"),
        (
            _frame(label=pl.Series([None], dtype=pl.Int64)),
            r"validation-.*: the image in row 0 has no label, got None",
        ),
        (_frame(label=["cat"]), r"validation-.*: labels in column 'label' are texts, those of others are numbers"),
        (_frame(image=pl.Series([None], dtype=pl.Struct({"bytes": pl.Binary}))), r"there is no image in row 0"),
        (_frame(image=["x"]), r"validation-.*: column 'image' should be files of images"),
        (_frame().rename({"image": "img"}), r"validation-.* has no column 'image' .* there are: img"),
        (_frame().clear(), r"validation-.*parquet has no images"),
        (_frame(label=[3]), r"classes of val and of train differ: labels up to 3 and 2"),
        (None, r"validation-.*parquet is damaged: Parquet file size is 3 bytes"),
    ],
)
def test_parquet_that_does_not_fit_is_told(
    tmp_path: Path, cache: Path, frame: pl.DataFrame | None, message: str
) -> None:
    base = write_parquet(tmp_path / "imagenet", shards=1)
    [path] = base.glob("validation-*")
    path.write_bytes(b"PAR") if frame is None else frame.write_parquet(path)
    with pytest.raises(DataError, match=message):
        found(base)
    if "no images" not in message and "differ" not in message:
        assert [path.name.split("-")[1] for path in cache.glob("*.arrow")] == ["train"]
    assert not list(cache.glob("*.tmp"))


def test_a_parquet_file_that_ends_well_but_is_damaged_is_told(tmp_path: Path) -> None:
    base = write_parquet(tmp_path / "imagenet", shards=1)
    [path] = base.glob("train-*")
    content = path.read_bytes()
    path.write_bytes(b"\0" * (len(content) // 2) + content[len(content) // 2 :])
    with pytest.raises(DataError, match=r"train-00000-of-00001\.parquet"):
        found(base)


def test_parquet_without_validation_files_is_told(tmp_path: Path) -> None:
    base = write_parquet(tmp_path / "imagenet", shards=1)
    next(base.glob("validation-*")).unlink()
    with pytest.raises(DataError, match=r"has no validation-\*\.parquet or test-\*\.parquet; `test: train`"):
        found(base)


def test_a_missing_root_or_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ImageNet needs files: set AUTOREG_DATA or dataset\.root"):
        find_images(None, "imagenet", with_val=True)
    with pytest.raises(DataError, match=r"imagenet does not exist \(option `folder` below AUTOREG_DATA"):
        find_images(tmp_path, "imagenet", with_val=True)


def test_labels_are_the_places_of_the_sorted_synsets(tmp_path: Path) -> None:
    source = found(write_folders(tmp_path / "imagenet"))
    for row in (0, 9, 23):
        label = int(source.train.labels[row])
        assert SYNSETS[label] in str(source.train.path(row))
    assert source.train.labels.dtype == torch.int64
