"""What is timed are the program's own steps, on the first examples of the data."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from autoreg.config.trial import Choice, TrialConfig
from autoreg.datasets import load_dataset
from autoreg.metrics.measure import measurements_of
from autoreg.orchestrator.forecast.company import company
from autoreg.orchestrator.forecast.timing import Clock, EpochTimes, First, time_epochs, time_measuring

MakeConfig = Callable[..., TrialConfig]
NOISE = Choice(name="noise", options={"shape": [4], "train_size": 20})


@pytest.mark.parametrize("dataset", [Choice(name="teacher"), NOISE])
def test_the_first_examples_are_those_of_the_split(config: MakeConfig, dataset: Choice) -> None:
    split = load_dataset(config(dataset=dataset), None).train
    first = First(split, 7)
    assert (len(first), len(first.labels)) == (7, 7)
    batches = list(first.batches(3))
    assert [len(labels) for _, labels in batches] == [3, 3, 1]
    [(inputs, labels)] = list(split.batches(7, torch.arange(len(split))))[:1]
    assert torch.equal(torch.cat([part for part, _ in batches]), inputs)
    assert torch.equal(torch.cat([part for _, part in batches]), labels)
    assert torch.equal(first.labels, labels)


def test_epochs_between_two_batch_sizes_lie_on_the_line_of_the_steps() -> None:
    # An epoch of 100 examples takes 2 for each step and 10 for the rest.
    times = EpochTimes({10: 10 * 2 + 10, 50: 2 * 2 + 10}, 0, 0, 0)
    assert [times.epoch_seconds(size) for size in (10, 20, 50)] == pytest.approx([30, 20, 14])
    assert times.epoch_seconds(100) == pytest.approx(12)
    assert EpochTimes({10: 30}, 0, 0, 0).epoch_seconds(50) == 30


def test_an_epoch_of_twice_the_examples_takes_longer(config: MakeConfig) -> None:
    clock = Clock("cpu", 1)

    def seconds(examples: int) -> float:
        sizes = {"train_size": examples, "validation_size": 100, "test_size": 100}
        made = config(dataset=Choice(name="teacher", options=sizes))
        return time_epochs(made, load_dataset(made, None), [10], clock, 0.1).epoch_seconds(10)

    assert seconds(8000) > seconds(800)
    assert clock.wall >= clock.work * 0.5 > 0


def test_measuring_knows_its_seconds_and_the_bytes_of_its_files(config: MakeConfig) -> None:
    made = config()
    wanted = [*measurements_of("ablation", {"samples": 2}, ["test"]), *measurements_of("similarity", {}, ["test"])]
    times = time_measuring(made, load_dataset(made, None), wanted, Clock("cpu", 1), 0.05)
    assert times.floor > 0
    assert times.seconds > 0
    assert 1_000 < times.size < 100_000


def test_company_leaves_with_whom_it_came() -> None:
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    if not children.exists():
        pytest.skip("this system does not list children")
    before = children.read_text().split()
    with company(2):
        time.sleep(0.1)
        assert len(children.read_text().split()) == len(before) + 2
    assert children.read_text().split() == before
