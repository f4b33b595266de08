"""CIFAR-10 is read in each form in which people have it, and damage is named."""

import hashlib
import io
import os
import pickle
import tarfile
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from autoreg.datasets import datasets
from autoreg.datasets.images import cifar10_files
from autoreg.datasets.images import cifar10_images as cifar10_images
from autoreg.datasets.images.cifar10_files import BATCHES, FOLDER, TARBALL, load_images
from autoreg.datasets.images.cifar10_images import augment_cropped, augment_whole, prepare_cropped, prepare_whole
from autoreg.errors import ConfigError, DataError

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests, since the images of the official folder are the same in each."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def use_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOREG_CACHE", str(cache))


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official folder with images of random bands, which are packed fast: as pickles of the same form."""
    root = tmp_path_factory.mktemp("official")
    (root / FOLDER).mkdir()
    for number, name in enumerate(BATCHES):
        batch = {
            b"batch_label": name.encode(),
            b"labels": [int(label) for label in (np.arange(10_000) + number) % 10],
            b"data": RANDOM.integers(256, size=(10_000, 48), dtype=np.uint8).repeat(64, 1),
        }
        # Python 3 writes the bytes of protocol 2 as text, which takes a while.
        content = pickle.dumps(batch, protocol=2 if name == "test_batch" else 3)
        (root / FOLDER / name).write_bytes(content)
    return root


@pytest.fixture(scope="module")
def sums(official: Path) -> dict[str, str]:
    return {name: hashlib.md5((official / FOLDER / name).read_bytes()).hexdigest() for name in BATCHES}


@pytest.fixture
def checksums(sums: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar10_files, "BATCHES", sums)


@pytest.mark.usefixtures("checksums")
def test_the_official_folder_and_tarball_hold_the_same_images(official: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / TARBALL, "w:gz", compresslevel=1) as archive:
        archive.add(official / FOLDER, FOLDER)
    folder, tarball = load_images(official), load_images(tmp_path)
    assert torch.equal(folder[0], tarball[0])
    assert torch.equal(folder[1], tarball[1])
    first = pickle.loads((official / FOLDER / "data_batch_1").read_bytes())
    assert folder[0][0].flatten().tolist() == first[b"data"][0].tolist()
    assert folder[1][50_000:50_003].tolist() == [5, 6, 7]


@pytest.mark.usefixtures("checksums")
def test_images_are_decoded_once(official: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    load_images(official)
    assert {path.suffix for path in cache.iterdir()} == {".npy"}
    monkeypatch.setattr(cifar10_files, "_read_batches", lambda read: pytest.fail("decoded a second time"))
    load_images(official)


@pytest.mark.usefixtures("checksums")
def test_splits_are_cut_in_file_order(official: Path) -> None:
    images, labels, _ = load_images(official)
    dataset = datasets["cifar10"](official, train_size=100, validation_size=7, test_size=11)
    assert [len(split) for split in (dataset.train, dataset.validation, dataset.test)] == [100, 7, 11]
    assert torch.equal(dataset.train.inputs, images[:100])
    assert torch.equal(dataset.validation.labels, labels[45_000:45_007])
    assert torch.equal(dataset.test.inputs, images[50_000:50_011])


def test_a_wrong_checksum_is_damage(official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOREG_CACHE", str(tmp_path))  # where they are not yet decoded
    with pytest.raises(DataError, match=r"data_batch_1 of CIFAR-10 is damaged: its MD5 sum is"):
        load_images(official)


class Planted:
    def __reduce__(self) -> object:
        return os.mkdir, ("/tmp/autoreg-owned",)


def test_a_planted_pickle_with_a_fitting_checksum_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FOLDER).mkdir()
    content = pickle.dumps(Planted())
    for name in BATCHES:
        (tmp_path / FOLDER / name).write_bytes(content)
    monkeypatch.setattr(cifar10_files, "BATCHES", dict.fromkeys(BATCHES, hashlib.md5(content).hexdigest()))
    with pytest.raises(DataError, match="does not belong into a CIFAR-10 batch"):
        load_images(tmp_path)
    assert not Path("/tmp/autoreg-owned").exists()


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"set AUTOREG_DATA or dataset\.root"):
        load_images(None)
    with pytest.raises(DataError, match="does not exist"):
        load_images(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"no CIFAR-10 in .* looked for"):
        load_images(tmp_path)
    (tmp_path / FOLDER).mkdir()
    with pytest.raises(DataError, match=r"incomplete, missing: .*data_batch_1.*test_batch"):
        load_images(tmp_path)


def test_a_truncated_tarball_is_damage(tmp_path: Path) -> None:
    (tmp_path / TARBALL).write_bytes(b"\x1f\x8b\x08 this is no archive")
    with pytest.raises(DataError, match="is damaged"):
        load_images(tmp_path)


def _png(size: tuple[int, int], mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, (10, 20, 30)[: len(mode)]).save(buffer, "PNG")
    return buffer.getvalue()


def _parquet(root: Path, images: list[bytes | None], column: str = "img") -> None:
    rows = [{"bytes": image, "path": None} for image in images]
    frame = pl.DataFrame({column: rows, "label": [0] * len(rows)})
    for split in ("train", "test"):
        frame.write_parquet(root / f"{split}-00000-of-00001.parquet")


@pytest.mark.parametrize(
    ("images", "column", "message"),
    [
        ([_png((32, 32))], "img", "train split has 50000 images, got 1"),
        ([_png((32, 32))], "image", "has no column 'img' of files of images"),
        ([b"no image"], "img", "image in row 0 of .* cannot be read as an image"),
        ([_png((16, 32))], "img", "image in row 0 of .* must be 32×32, got 16×32"),
        ([_png((32, 32)), None], "img", "there is no image in row 1"),
        ([_png((32, 32), "LA")], "img", "some images have transparent pixels, .* and none of CIFAR-10 do"),
    ],
)
def test_damaged_parquet_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: list[bytes | None], column: str, message: str
) -> None:
    if "50000" not in message:
        monkeypatch.setattr(cifar10_files, "COUNTS", {"train": len(images), "test": len(images)})
    _parquet(tmp_path, images, column)
    with pytest.raises(DataError, match=message):
        load_images(tmp_path)


def test_prepared_images_are_standardised_each() -> None:
    images = torch.randint(256, (5, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    ready = prepare_cropped(images)
    assert ready.shape == (5, 3, 32, 32)
    assert ready.mean((1, 2, 3)).abs().max().item() < 0.02
    crop = images[0, :, 2:30, 2:30].float()
    assert ready[0, 0, 0, 0].item() == pytest.approx(
        ((crop[0, 0, 0] - crop.mean()) / crop.std(correction=0)).item(), rel=1e-4
    )
    assert torch.isfinite(prepare_cropped(torch.full((1, 3, 32, 32), 7, dtype=torch.uint8))).all()


def test_augmentation_is_seeded_and_crops_and_flips() -> None:
    image = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    image[:, :, 10:20, 4:8] = 255  # a bar in the left half
    many = image.repeat(200, 1, 1, 1)
    first, again = (augment_cropped(many, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again)
    places = first.mean((1, 2)).argmax(1)
    assert 60 < (places > 16).sum().item() < 140  # half of them are flipped to the right
    assert len(places.unique()) > 6  # and the crop moves
    assert not torch.equal(first, augment_cropped(many, torch.Generator().manual_seed(4)))


def test_augmentation_changes_contrast_within_its_range(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("standardised", "_resized"):
        monkeypatch.setattr(cifar10_images, name, lambda crops: crops)
    image = torch.randint(256, (1, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    changed = augment_cropped(image.repeat(500, 1, 1, 1), torch.Generator().manual_seed(0))
    contrast = changed.std((2, 3)).mean(1) / image.float().std((2, 3)).mean()
    assert contrast.min().item() == pytest.approx(0.2, abs=0.05)
    assert contrast.max().item() == pytest.approx(1.8, abs=0.1)
    brightness = changed.mean((1, 2, 3)) - image.float().mean()
    assert brightness.abs().max().item() < 63 + 8


def test_whole_images_are_standardised_each() -> None:
    images = torch.randint(256, (5, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    ready = prepare_whole(images)
    assert torch.allclose(ready.mean((1, 2, 3)), torch.zeros(5), atol=1e-5)
    assert torch.allclose(ready.std((1, 2, 3), correction=0), torch.ones(5), atol=1e-5)
    first = images[0].float()
    assert torch.allclose(ready[0], (first - first.mean()) / first.std(correction=0), atol=1e-5)


def test_whole_images_are_shifted_by_up_to_four_pixels_within_a_black_frame_and_flipped() -> None:
    image = torch.randint(256, (3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    framed = torch.zeros(3, 40, 40, dtype=torch.uint8)
    framed[:, 4:36, 4:36] = image
    shifts = list(product(range(9), range(9), (False, True)))
    crops = torch.stack([framed[:, top : top + 32, left : left + 32] for top, left, _ in shifts]).float()
    flipped = torch.tensor([flip for _, _, flip in shifts])
    crops[flipped] = crops[flipped].flip(3)
    expected = (crops - crops.mean((1, 2, 3), keepdim=True)) / crops.std((1, 2, 3), correction=0, keepdim=True)

    many = image.repeat(1500, 1, 1, 1)
    first, again = (augment_whole(many, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again)
    distance, found = torch.cdist(first.flatten(1), expected.flatten(1)).min(1)
    assert distance.max().item() < 0.1
    assert len(found.unique()) == len(shifts)  # each of them occurs
    assert 650 < flipped[found].sum().item() < 850  # half of them are flipped


@pytest.mark.usefixtures("checksums")
def test_the_sweep_file_says_what_a_network_sees(official: Path) -> None:
    cropped, whole = (datasets["cifar10"](official, test_size=4, pictures=kind) for kind in ("cropped", "whole"))
    [[inputs, _]] = whole.batches("test")
    assert torch.equal(inputs, prepare_whole(whole.test.inputs))
    assert (whole.augment, cropped.augment) == (augment_whole, augment_cropped)
    [[inputs, _]] = cropped.batches("test")
    assert torch.equal(inputs, prepare_cropped(cropped.test.inputs))
    assert datasets.check_options("cifar10", {"pictures": "cropped"}) == {}
    with pytest.raises(ConfigError, match="option 'pictures' of dataset 'cifar10' should be 'cropped' or 'whole'"):
        datasets.check_options("cifar10", {"pictures": "resized"})


@pytest.mark.real_images("cifar10")
def test_the_real_images_are_all_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTOREG_CACHE")
    images, labels, fingerprint = load_images(Path(os.environ["AUTOREG_DATA"]))
    assert fingerprint == "25f83e54dc16d4b5"  # what trials have recorded
    assert images.shape == (60_000, 3, 32, 32)
    assert labels[:50_000].bincount().tolist() == [5_000] * 10
    assert labels[50_000:].bincount().tolist() == [1_000] * 10
    assert images[:1000].float().std().item() == pytest.approx(62, abs=3)
