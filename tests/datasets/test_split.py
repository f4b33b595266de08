"""The first examples of a split are a split of their own, and what is done to a batch changes no data.

Labels that would be left out or taken for others are refused.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from autoreg.config.trial import Choice, TrialConfig
from autoreg.datasets import Split, load_dataset
from autoreg.errors import ConfigError

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


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("torch.tensor([0, 1, -100, 1])", "test: labels must be 0 to 1, got -100"),  # which a loss passes over
        ("torch.tensor([0, 1, 2, 1])", "test: labels must be 0 to 1, got 2"),
        ("torch.tensor([0, 1, 1])", "test: there must be a label for each example, got 4 and 3"),
        ("torch.eye(2).repeat(2, 1)", r"test: labels must be int64, \[examples\], got torch.float32, \(4, 2\)"),
    ],
)
def test_labels_that_are_no_classes_are_refused_before_anything_trains(
    config: Callable[..., TrialConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: str, words: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    module = f"labelled_{abs(hash(labels))}"
    (tmp_path / f"{module}.py").write_text(
        "import torch\nfrom autoreg.datasets import Dataset, Split\n\n\n"
        "def make(root):\n"
        "    right = Split(torch.ones(4, 3), torch.tensor([0, 1, 0, 1]))\n"
        f"    return Dataset(right, right, Split(torch.ones(4, 3), {labels}), (3,), 2, 'labelled')\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=words):
        load_dataset(config(dataset=Choice(name=f"{module}:make")), None)
