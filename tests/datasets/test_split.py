"""The first examples of a split are a split of their own, and what is done to a batch changes no data."""

from collections.abc import Callable

import pytest
import torch

from autoreg.config.trial import Choice, TrialConfig
from autoreg.datasets import Split, load_dataset

NOISE = Choice(name="noise", options={"shape": [4], "train_size": 20})


@pytest.mark.parametrize("dataset", [Choice(name="teacher"), NOISE])
def test_the_first_examples_are_those_of_the_split(config: Callable[..., TrialConfig], dataset: Choice) -> None:
    split = load_dataset(config(dataset=dataset), None).train
    first = split.first(7)
    assert (len(first), len(first.labels)) == (7, 7)
    batches = list(first.batches(3))
    assert [len(labels) for _, labels in batches] == [len(inputs) for inputs, _ in batches] == [3, 3, 1]
    [(inputs, labels)] = list(split.batches(7, torch.arange(len(split))))[:1]
    assert torch.equal(torch.cat([part for part, _ in batches]), inputs)
    assert torch.equal(torch.cat([part for _, part in batches]), labels)
    assert torch.equal(first.labels, labels)
    [(shuffled, _)] = first.batches(7, torch.arange(6, -1, -1))
    assert torch.equal(shuffled, inputs.flip(0))


@pytest.mark.parametrize("order", [None, torch.arange(5)])
def test_what_is_done_to_a_batch_in_place_changes_no_data(order: torch.Tensor | None) -> None:
    split = Split(torch.ones(5, 3), torch.ones(5, dtype=torch.long))
    for inputs, labels in split.batches(2, order):
        inputs.add_(1)
        labels.add_(1)
    assert (split.inputs.unique().tolist(), split.labels.unique().tolist()) == ([1.0], [1])
