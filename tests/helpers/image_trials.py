"""Trials of networks for images that a test can pay for, and what is compared of two trained ones."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from autoreg.config.trial import Choice, TrialConfig
from autoreg.datasets import Dataset, Split, datasets
from autoreg.datasets.images.cifar10_images import augment_cropped, prepare_cropped
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.records import Epoch
from autoreg.training import checkpoints


def images(root: Path | None) -> Dataset:
    """A few noisy images in the form of CIFAR-10, for networks that need images."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randint(256, (60, 3, 32, 32), generator=generator, dtype=torch.uint8)
    labels = torch.arange(60) % 10
    split = [Split(inputs[start : start + 20], labels[start : start + 20]) for start in (0, 20, 40)]
    return Dataset(*split, (3, 32, 32), 10, "images", prepare_cropped, augment_cropped)


datasets.register(images)
ALEXNET = {
    "network": Choice(name="alexnet"), "dataset": Choice(name="images"), "batch_size": 8, "learning_rate": 0.01,
    "augmentation": True, "dropout": 0.5, "weight_decay": 1e-3, "epochs": 4, "patience": 4,
}  # fmt: skip
RESNET = {
    "network": Choice(name="resnet56"), "dataset": Choice(name="images"), "initializer": Choice(name="resnet_v1"),
    "schedule": Choice(name="step", options={"boundaries": [2], "warmup": 1}), "batch_size": 8, "weight_decay": 2e-4,
    "epochs": 4,
}  # fmt: skip


def folder_of(runs: Runs, made: TrialConfig) -> TrialFolder:
    return runs.trial(made.trial_id)


def weights_of(folder: TrialFolder) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = checkpoints.load(folder.checkpoint_path)["network"]
    return weights


def without_times(epochs: list[Epoch]) -> list[dict[str, Any]]:
    return [epoch.model_dump(exclude={"seconds"}) for epoch in epochs]
