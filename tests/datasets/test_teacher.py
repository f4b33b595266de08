"""Teacher data: balanced, seeded, of any size."""

import pytest
import torch

from autoreg.datasets import datasets
from autoreg.errors import ConfigError


@pytest.mark.parametrize("dimensions", [1, 10, 1000])
def test_each_label_is_given_to_40_to_60_percent(dimensions: int) -> None:
    for seed in range(10):
        dataset = datasets["teacher"](None, dimensions=dimensions, train_size=500, seed=seed)
        labels = torch.cat([dataset.split(name).labels for name in ("train", "validation", "test")])
        assert 0.4 <= labels.float().mean().item() <= 0.6
        assert dataset.input_shape == (dimensions,)


def test_a_seed_makes_a_dataset_and_another_makes_another() -> None:
    first, again, other = (datasets["teacher"](None, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.train.inputs, again.train.inputs)
    assert torch.equal(first.test.labels, again.test.labels)
    assert not torch.equal(first.train.inputs, other.train.inputs)


def test_inputs_are_standard_normal() -> None:
    inputs = datasets["teacher"](None, train_size=5000).train.inputs
    assert inputs.mean().item() == pytest.approx(0, abs=0.02)
    assert inputs.std().item() == pytest.approx(1, abs=0.02)


def test_sizes_are_the_asked_ones() -> None:
    dataset = datasets["teacher"](None, train_size=7, validation_size=20, test_size=30)
    assert [len(dataset.split(name)) for name in ("train", "validation", "test")] == [7, 20, 30]


def test_data_too_small_to_balance_is_refused() -> None:
    with pytest.raises(ConfigError, match="no teacher out of 1000"):
        datasets["teacher"](None, train_size=1, validation_size=1, test_size=1)
