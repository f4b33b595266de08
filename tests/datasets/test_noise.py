"""Noise: of any shape, drawn when it is asked for, the same each time."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from autoreg.config.trial import Choice, TrialConfig
from autoreg.datasets import build_dataset, datasets
from autoreg.errors import ConfigError
from autoreg.networks import parameter_count
from autoreg.runs.folder import Runs
from autoreg.training.loop import train_trial


def test_inputs_are_standard_normal_and_the_same_each_time_in_any_order() -> None:
    dataset = datasets["noise"](None, shape=[3, 8, 8], classes=5, train_size=200)
    [[inputs, labels]] = dataset.batches("train", 200)
    assert inputs.shape == (200, 3, 8, 8)
    assert inputs.mean().item() == pytest.approx(0, abs=0.02)
    assert inputs.std().item() == pytest.approx(1, abs=0.02)
    assert labels.unique().tolist() == [0, 1, 2, 3, 4]
    order = torch.randperm(200, generator=torch.Generator().manual_seed(0))
    shuffled = list(dataset.batches("train", 30, order))
    assert [len(part) for part, _ in shuffled] == [30] * 6 + [20]
    assert torch.equal(torch.cat([part for part, _ in shuffled]), inputs[order])
    assert torch.equal(torch.cat([part for _, part in shuffled]), labels[order])


def test_splits_and_seeds_differ() -> None:
    dataset, other = (datasets["noise"](None, shape=[10], seed=seed) for seed in (0, 1))
    firsts = [next(made.batches(name, 1))[0] for made in (dataset, other) for name in ("train", "validation", "test")]
    assert len({tuple(first.flatten().tolist()) for first in firsts}) == 6
    assert not torch.equal(dataset.train.labels, other.train.labels)


def test_large_inputs_cost_nothing_until_they_are_asked_for() -> None:
    dataset = datasets["noise"](None, shape=[3, 299, 299], classes=1000, train_size=100_000)  # 107 GB
    assert (dataset.input_shape, dataset.classes, len(dataset.train)) == ((3, 299, 299), 1000, 100_000)
    assert next(dataset.batches("train", 1))[0].shape == (1, 3, 299, 299)


def test_a_network_can_be_tried_on_it(runs: Runs, config: Callable[..., TrialConfig]) -> None:
    options: dict[str, Any] = {"shape": [3, 32, 32], "classes": 7}
    made = config(network=Choice(name="alexnet"), dataset=Choice(name="noise", options=options), random_labels=True)
    dataset = build_dataset(made, None)
    assert parameter_count(made, dataset.input_shape, dataset.classes) == 438_746 - 3 * 49
    result = train_trial(made, runs.trial(made.trial_id))
    assert result is not None
    assert result.status == "done"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "dataset 'noise' needs the option 'shape'"),
        ({"shape": []}, "option 'shape' of dataset 'noise' List should have at least 1 item"),
        ({"shape": [3, 0]}, "option 'shape' of dataset 'noise' should be greater than or equal to 1"),
        ({"shape": 3}, "option 'shape' of dataset 'noise' should be a valid list, got 3"),
    ],
)
def test_a_shape_is_a_list_of_sizes(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        datasets.check_options("noise", options)


def test_it_has_no_augmentation(config: Callable[..., TrialConfig]) -> None:
    made = config(dataset=Choice(name="noise", options={"shape": [10]}), augmentation=True)
    with pytest.raises(ConfigError, match="dataset 'noise' has no augmentation"):
        build_dataset(made, None)
    dataset = datasets["noise"](None, shape=[10])
    with pytest.raises(ConfigError, match="has no augmentation, got a generator"):
        next(dataset.batches("train", 4, generator=torch.Generator()))
