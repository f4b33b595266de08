"""Torchvision's datasets by name: its splits, its labels, read from files that are told apart by their content."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision.datasets
from PIL import Image
from scipy.io import savemat

from autoreg.datasets import datasets
from autoreg.datasets.images import torchvision_files
from autoreg.datasets.images.cache import save_array
from autoreg.datasets.images.squares import Squares, decoded_once
from autoreg.datasets.images.torchvision_files import PICKLED, PUBLISHED
from autoreg.errors import AutoregError, ConfigError, DataError
from autoreg.files import is_held

load = datasets["torchvision"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOREG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def pixels(count: int, seed: int = 0, side: int = 28, channels: tuple[int, ...] = ()) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, *channels), dtype=np.uint8)


def write_mnist(root: Path, name: str = "MNIST", seed: int = 0) -> np.ndarray[Any, Any]:
    """Write 40 training and 20 test images of 4 classes, and return the test images."""
    raw = root / name / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", 40), ("t10k", 20)):
        images, labels = pixels(count, seed + count), np.arange(count, dtype=np.uint8) % 4
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
            (raw / f"{part}-{kind}-ubyte").write_bytes(head + array.tobytes())
    return images


def write_eurosat(root: Path) -> None:
    for name in ("Forest", "River", "SeaLake"):
        (root / "eurosat" / "2750" / name).mkdir(parents=True)
        for row, image in enumerate(pixels(10, side=16, channels=(3,))):
            Image.fromarray(image).save(root / "eurosat" / "2750" / name / f"{row}.jpg")


def write_gtsrb(root: Path) -> None:
    test = root / "gtsrb" / "GTSRB" / "Final_Test" / "Images"
    test.mkdir(parents=True)
    rows = ["Filename;ClassId"]
    for row, image in enumerate(pixels(30, side=16, channels=(3,))):
        folder = root / "gtsrb" / "GTSRB" / "Training" / f"{row % 3:05}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{row}.ppm")
        Image.fromarray(image).save(test / f"{row}.ppm")
        rows.append(f"{row}.ppm;{row % 3}")
    (root / "gtsrb" / "GT-final_test.csv").write_text("\n".join(rows))


def test_every_dataset_of_the_table_is_one_of_torchvisions_and_unpickles_nothing() -> None:
    import inspect

    for name in PUBLISHED:
        made = getattr(torchvision.datasets, name)
        source = inspect.getsource(inspect.getmodule(made))  # type: ignore[arg-type]
        assert "pickle" not in source, name
        assert source.count("torch.load(") == source.count("weights_only=True"), name
        accepted = inspect.signature(made).parameters
        for arguments in PUBLISHED[name].splits.values():
            assert set(arguments) <= set(accepted), name
    for name in PICKLED:
        assert "pickle" in inspect.getsource(inspect.getmodule(getattr(torchvision.datasets, name)))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
def test_grey_images_come_as_they_are(tmp_path: Path, name: str) -> None:
    images = write_mnist(tmp_path, name)
    dataset = load(tmp_path, dataset=name, size=28, channels=1, validation_share=0.2)
    assert (dataset.classes, dataset.input_shape) == (4, (1, 28, 28))
    assert [len(dataset.split(split)) for split in ("train", "validation", "test")] == [32, 8, 20]
    assert np.array_equal(dataset.test.inputs[:, 0], images)
    assert dataset.test.labels.tolist() == [row % 4 for row in range(20)]
    assert dataset.validation.labels.bincount().tolist() == [2] * 4
    colour = load(tmp_path, dataset=name, size=28)
    assert torch.equal(colour.test.inputs, dataset.test.inputs.expand(-1, 3, -1, -1))


def test_images_in_folders_are_resized_and_their_missing_test_split_is_held_out(tmp_path: Path) -> None:
    write_eurosat(tmp_path)
    dataset = load(tmp_path, dataset="EuroSAT", size=8, validation_share=0.2, test_share=0.1)
    assert dataset.input_shape == (3, 8, 8)
    for split, each in (("train", 7), ("validation", 2), ("test", 1)):
        assert dataset.split(split).labels.bincount().tolist() == [each] * 3


def clear(row: int) -> Image.Image:
    """A transparent image of class 0, or one of 16 bits of class 1."""
    return Image.new("RGBA", (8, 8), (0, 0, 0, 0)) if row % 2 == 0 else Image.new("I;16", (8, 8), 20000)


def write_pets(root: Path) -> None:
    (root / "oxford-iiit-pet" / "images").mkdir(parents=True)
    (root / "oxford-iiit-pet" / "annotations").mkdir()
    for part in ("trainval", "test"):
        rows = [f"{part}_{row} {row % 2 + 1} 1 1\n" for row in range(20)]
        (root / "oxford-iiit-pet" / "annotations" / f"{part}.txt").write_text("".join(rows))
        for row in range(20):
            clear(row).save(root / "oxford-iiit-pet" / "images" / f"{part}_{row}.jpg", "PNG")


def write_sst2(root: Path) -> None:
    for part in ("train", "valid", "test"):
        for row in range(20):
            folder = root / "rendered-sst2" / part / ("negative", "positive")[row % 2]
            folder.mkdir(parents=True, exist_ok=True)
            clear(row).save(folder / f"{row}.png")


@pytest.mark.parametrize(("name", "write"), [("OxfordIIITPet", write_pets), ("RenderedSST2", write_sst2)])
@pytest.mark.filterwarnings("ignore::autoreg.errors.DataWarning")
def test_transparent_images_and_those_of_16_bits_come_as_from_everywhere(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    write(tmp_path)
    test = load(tmp_path, dataset=name, size=8).test
    assert test.inputs.amin((1, 2, 3)).tolist() == [(255, 78)[label] for label in test.labels.tolist()]
    assert torch.equal(test.inputs.amin((1, 2, 3)), test.inputs.amax((1, 2, 3)))
    assert test.labels.bincount().tolist() == [10, 10]


def test_labels_of_a_table_beside_the_images_are_read(tmp_path: Path) -> None:
    write_gtsrb(tmp_path / "below")
    dataset = load(tmp_path, folder="below", dataset="GTSRB", size=16)
    assert np.array_equal(dataset.test.inputs.permute(0, 2, 3, 1), pixels(30, side=16, channels=(3,)))
    assert dataset.test.labels.tolist() == [row % 3 for row in range(30)]


def test_matlab_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets.SVHN, "_check_integrity", lambda self: True)  # ours have other checksums
    for part in ("train", "test"):
        labels = np.where(np.arange(20) % 4 == 0, 10, np.arange(20) % 4)  # SVHN calls the digit 0 so
        images = pixels(20, side=32, channels=(3,))
        savemat(tmp_path / f"{part}_32x32.mat", {"X": np.moveaxis(images, 0, -1), "y": labels[:, None]})
    dataset = load(tmp_path, dataset="SVHN")
    assert np.array_equal(dataset.test.inputs.permute(0, 2, 3, 1), images)
    assert dataset.test.labels.tolist() == [row % 4 for row in range(20)]


def test_images_are_decoded_once_and_other_content_is_another_fingerprint(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mnist(tmp_path)
    first = load(tmp_path, dataset="MNIST")
    (tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte.gz").write_bytes(b"what it was unpacked from")
    with monkeypatch.context() as patch:
        patch.setattr(torchvision.datasets, "MNIST", None)
        again = load(tmp_path, dataset="MNIST")
    assert torch.equal(again.train.inputs, first.train.inputs)
    assert torch.equal(again.train.labels, first.train.labels)
    assert again.fingerprint == first.fingerprint
    for path in cache.glob("*.labels.npy"):  # a process was killed before it wrote them
        path.unlink()
    assert torch.equal(load(tmp_path, dataset="MNIST").train.labels, first.train.labels)
    write_mnist(tmp_path, seed=1)  # files of the same names and sizes
    other = load(tmp_path, dataset="MNIST")
    assert other.fingerprint != first.fingerprint
    assert not torch.equal(other.test.inputs, first.test.inputs)


def test_no_other_process_looks_while_images_lie_there_without_their_labels(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mnist(tmp_path)
    seen = list[bool]()

    def save(path: Path, array: Any) -> None:
        [lock] = cache.glob(".torchvision-*.lock")
        seen.append(is_held(lock) and any(cache.glob("torchvision-MNIST-*.npy")))
        save_array(path, array)

    monkeypatch.setattr(torchvision_files, "save_array", save)
    load(tmp_path, dataset="MNIST")
    assert seen == [True, True]


def test_a_cache_that_gets_fewer_images_than_it_should_is_not_written(cache: Path) -> None:
    squares = Squares(8)
    with pytest.raises(DataError, match=r"few\.npy should get 4 images, got 0: run the same command again"):
        decoded_once(cache / "few.npy", 4, squares, ())
    assert not (cache / "few.npy").exists()


def _without(root: Path) -> None:
    write_mnist(root)
    (root / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").unlink()


def _cut(root: Path) -> None:
    write_mnist(root)
    path = root / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:900])


def _no_image(root: Path) -> None:
    write_eurosat(root)
    (root / "eurosat" / "2750" / "River" / "3.jpg").write_bytes(b"no image")


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (lambda root: None, {"dataset": "MNIST"}, "no MNIST in {root}: looked for MNIST; Python fetches it: from t"),
        (lambda root: None, {"dataset": "Food101"}, "Food101('{root}', split='test', download=True)"),
        (lambda root: None, {"dataset": "MNIST", "folder": "gone"}, "does not exist (option `folder` below"),
        (_without, {"dataset": "MNIST"}, "MNIST in {root} is not whole (Dataset not found"),
        (_cut, {"dataset": "MNIST"}, "MNIST in {root} cannot be read: "),
        (_no_image, {"dataset": "EuroSAT"}, "EuroSAT in {root} cannot be read: UnidentifiedImageError"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path, make: Callable[[Path], None], options: dict[str, str], words: str
) -> None:
    make(tmp_path)
    with pytest.raises(AutoregError) as raised:
        load(tmp_path, **options)
    assert isinstance(raised.value, DataError)
    assert words.replace("{root}", str(tmp_path)) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CIFAR10", "files are pickles, which are not loaded: `dataset: cifar10`"),
        ("FashonMNIST", "has no 'FashonMNIST'; did you mean 'FashionMNIST'?"),
    ],
)
def test_a_dataset_that_is_not_read_is_refused_before_a_file_is_looked_at(name: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        datasets.check_options("torchvision", {"dataset": name})
    assert words in str(raised.value)
