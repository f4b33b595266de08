"""ImageNet as a dataset: its splits, its inputs, and a training on it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from autoreg.config.trial import Choice, TrialConfig
from autoreg.datasets import build_dataset, datasets
from autoreg.datasets.dataset import Dataset
from autoreg.datasets.images.imagenet_crops import ImagenetCrops
from autoreg.errors import ConfigError
from autoreg.metrics.measure import measure_trial, measurements_of
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.training.loop import train_trial
from tests.helpers.imagenet_layouts import SYNSETS, write_folders, write_kaggle, write_parquet

SPLITS = ("train", "validation", "test")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOREG_CACHE", str(tmp_path / "cache"))


def made(root: Path, **options: Any) -> Dataset:
    dataset: Dataset = datasets["imagenet"](root, **{"size": 32, "validation_size": 4, **options})
    return dataset


def files(dataset: Dataset, name: str) -> list[str]:
    split: Any = dataset.split(name)
    return [str(split.images.path(row)) for row in split.rows.tolist()]


@pytest.mark.parametrize("write", [write_kaggle, write_parquet])
def test_an_image_gives_the_same_batch_whichever_file_it_comes_from(
    tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    write_folders(tmp_path / "folders" / "imagenet")
    write(tmp_path / "other" / "imagenet")
    one, other = made(tmp_path / "folders"), made(tmp_path / "other")
    for name, seed in (("train", 0), ("train", None), ("validation", None), ("test", None)):
        batches = []
        for dataset in (one, other):
            generator = None if seed is None else torch.Generator().manual_seed(seed)
            batches.append(list(dataset.batches(name, 7, None, generator)))
        for (inputs, labels), (others, truth) in zip(*batches, strict=True):
            assert torch.equal(inputs, others)
            assert torch.equal(labels, truth)


def test_an_input_is_the_standardised_centre_of_its_file(tmp_path: Path) -> None:
    write_folders(tmp_path / "imagenet")
    dataset = made(tmp_path)
    inputs, labels = next(dataset.batches("test", 1))
    [path, *_] = files(dataset, "test")
    with Image.open(path) as image:
        pixels = np.asarray(ImagenetCrops(32).crop(image, None)) / 255
    expected = (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    assert torch.allclose(inputs[0].permute(1, 2, 0), torch.tensor(expected).float(), atol=1e-6)
    assert SYNSETS[int(labels)] in path


def test_splits_share_no_image_and_are_the_same_each_time(tmp_path: Path) -> None:
    write_folders(tmp_path / "imagenet")
    whole, again = made(tmp_path), made(tmp_path)
    assert [len(whole.split(name)) for name in SPLITS] == [20, 4, 9]
    assert [files(whole, name) for name in SPLITS] == [files(again, name) for name in SPLITS]
    assert len({file for name in SPLITS for file in files(whole, name)}) == 33
    smaller = made(tmp_path, train_size=6, test_size=5)
    assert files(smaller, "train") == files(whole, "train")[:6]
    assert files(smaller, "test") == files(whole, "test")[:5]
    held_out = made(tmp_path, test="train", test_size=5)
    assert [len(held_out.split(name)) for name in SPLITS] == [15, 4, 5]
    assert len({file for name in SPLITS for file in files(held_out, name)}) == 24
    assert files(held_out, "validation") == files(whole, "validation")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test": "train"}, "test: train needs test_size, the number of training images to hold out"),
        ({"validation_size": 24}, "the sizes must not ask for more than the 24 training images there are, got 25"),
        ({"train_size": 21}, "the sizes must not ask for more than the 24 training images there are, got 25"),
        ({"test": "train", "test_size": 20}, "more than the 24 training images there are, got 25"),
        ({"test_size": 10}, "the sizes must not ask for more than the 9 validation images there are, got 10"),
    ],
)
def test_sizes_that_the_images_do_not_allow_are_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    write_folders(tmp_path / "imagenet")
    with pytest.raises(ConfigError, match=message):
        made(tmp_path, **options)


@pytest.mark.parametrize("folder", ["/etc", "../elsewhere", "a/../../b", "", "a\\b"])
def test_a_folder_outside_the_data_root_is_refused(folder: str) -> None:
    with pytest.raises(ConfigError, match=r"option 'folder' .* should be a folder below the data root, without '\.\.'"):
        datasets.check_options("imagenet", {"folder": folder})


def test_an_option_that_repeats_its_default_is_left_out() -> None:
    assert datasets.check_options("imagenet", {"folder": "some/where", "test_size": None}) == {"folder": "some/where"}


def trained(root: Path, folder: TrialFolder, made: TrialConfig) -> TrialFolder:
    result = train_trial(made, folder, root=root)
    assert result is not None
    assert (result.status, result.epochs_run) == ("done", 2)
    return folder


@pytest.mark.parametrize("random_labels", [False, True])
def test_a_network_is_trained_and_measured_on_a_folder_of_images(
    tmp_path: Path, config: Callable[..., TrialConfig], random_labels: bool
) -> None:
    write_folders(tmp_path / "images")
    options = {"folder": "images", "size": 32, "validation_size": 4}
    trial = config(
        network=Choice(name="tests.helpers.dataset_outside:build"), dataset=Choice(name="imagenet", options=options),
        augmentation=True, random_labels=random_labels, batch_size=6, epochs=2, learning_rate=0.01,
    )  # fmt: skip
    first, again = (
        trained(tmp_path, Runs(tmp_path / name).trial(trial.trial_id), trial) for name in ("first", "again")
    )
    one, two = first.read_result(), again.read_result()
    assert [epoch.train_loss for epoch in one.epochs] == [epoch.train_loss for epoch in two.epochs]
    wanted = measurements_of("ablation", {"samples": 1}, ["test"]) + measurements_of("similarity", {}, ["test"])
    assert measure_trial(first, wanted, tmp_path) == 2
    true = build_dataset(trial.model_copy(update={"random_labels": False}), tmp_path)
    dataset = build_dataset(trial, tmp_path)
    assert torch.equal(dataset.train.labels, true.train.labels) is not random_labels
    assert torch.equal(dataset.test.labels, true.test.labels)
    [[_, labels]] = dataset.batches("train")
    assert torch.equal(labels, dataset.train.labels)


@pytest.mark.real_images("imagenet_sample")
def test_the_real_images_can_be_seen() -> None:
    dataset = made(
        Path(os.environ["AUTOREG_DATA"]), size=224, folder="imagenet_sample", test="train",
        train_size=600, validation_size=200, test_size=200,
    )  # fmt: skip
    assert (dataset.classes, dataset.input_shape) == (1000, (3, 224, 224))
    labels = torch.cat([dataset.split(name).labels for name in SPLITS])
    assert sorted(labels.tolist()) == list(range(1000))
    inputs = torch.cat([part for part, _ in dataset.batches("test")])
    assert inputs.shape == (200, 3, 224, 224)
    assert inputs.mean((0, 2, 3)).abs().max().item() < 0.2
    assert inputs.std().item() == pytest.approx(1.1, abs=0.2)
    seen = list(dataset.batches("train", 60, None, torch.Generator().manual_seed(0)))
    assert [len(part) for part, _ in seen] == [60] * 10
