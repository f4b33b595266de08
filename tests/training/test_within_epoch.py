"""A trial that is stopped or killed in the middle of an epoch goes on there, and ends with the same bits."""

import math
import random
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from autoreg.config.trial import Choice, TrialConfig
from autoreg.networks import Network
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.training import checkpoints, saving
from autoreg.training.generators import drawn_so_far, seed_generators
from autoreg.training.loop import train_trial
from tests.helpers.image_trials import ALEXNET, folder_of, weights_of, without_times

MakeConfig = Callable[..., TrialConfig]


class Jitter(nn.Module):
    """While it trains, it draws from every generator that a user's code may draw from."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs * (1 + 0.1 * random.random() + 0.1 * np.random.randn()) if self.training else inputs


def build(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    convolution = nn.Sequential(nn.Conv2d(input_shape[0], 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    after = nn.Sequential(Jitter(), nn.AvgPool2d(10), nn.Flatten(), nn.Dropout(dropout))
    return Network([("conv", convolution), ("after", after), ("output", nn.Linear(36, classes))], measured=["conv"])


ALL_AT_ONCE = ALEXNET | {"network": Choice(name=f"{__name__}:build"), "weight_average": 0.9, "epochs": 3}
CASES: dict[str, dict[str, Any]] = {
    "plain": {"schedule": Choice(name="exponential", options={"decay": 0.5})},
    "stored order, adam": {"shuffle": False, "optimizer": Choice(name="adam")},
    "dropout, batch norm, augmentation, averaged weights, own draws": ALL_AT_ONCE,
    "bfloat16, by the kernel where it can be had": ALEXNET | {"width": 0.1, "epochs": 3, "precision": "bfloat16"},
}


@pytest.fixture(autouse=True)
def looks_after_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "SECONDS_BETWEEN_LOOKS", 0.0)


@pytest.fixture(params=CASES)
def made(request: pytest.FixtureRequest, config: MakeConfig) -> TrialConfig:
    return config(**CASES[request.param])


@pytest.fixture
def whole(made: TrialConfig, tmp_path: Path) -> TrialFolder:
    """The trial, trained in one go."""
    folder = folder_of(Runs(tmp_path / "whole"), made)
    assert train_trial(made, folder) is not None
    return folder


def at_look(number: int) -> Callable[[], bool]:
    """A `stop` that says yes when it is asked for the so-many-th time."""
    asked = count(1)
    return lambda: next(asked) == number


def assert_same(folder: TrialFolder, expected: TrialFolder) -> None:
    one, other = folder.read_result(), expected.read_result()
    assert without_times(one.epochs) == without_times(other.epochs)
    timed = {"epochs", "seconds", "finished_at", "environment"}
    assert one.model_dump(exclude=timed) == other.model_dump(exclude=timed)
    weights = weights_of(expected)
    for name, weight in weights_of(folder).items():
        assert torch.equal(weight, weights[name]), name


@pytest.mark.parametrize("look", [4, 7])
def test_stopped_again_and_again_in_steps_and_evaluations_it_ends_with_the_same_bits(
    made: TrialConfig, whole: TrialFolder, runs: Runs, look: int
) -> None:
    folder, starts = folder_of(runs, made), 1
    while train_trial(made, folder, stop=at_look(look)) is None:
        starts += 1
    assert starts > 1
    assert_same(folder, whole)
    assert not folder.resume_path.exists()


def test_killed_at_any_step_it_goes_on_from_the_state_saved_before(
    made: TrialConfig, whole: TrialFolder, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "SECONDS_BETWEEN_SAVES", 0.0)
    folder, steps = folder_of(runs, made), Network.loss
    with monkeypatch.context() as patch:
        for _ in range(4):
            left = iter([True] * 3)  # one to look at the network, and two steps

            def loss(*arguments: Any, left: Iterator[bool] = left) -> Any:
                if not next(left, False):
                    raise KeyboardInterrupt
                return steps(*arguments)

            patch.setattr(Network, "loss", loss)
            with pytest.raises(KeyboardInterrupt):
                train_trial(made, folder)
    result = train_trial(made, folder)
    assert result is not None
    steps_an_epoch = 4 if made.batch_size == 50 else 3
    epochs, more = divmod(8, steps_an_epoch)
    assert result.environment["resumed"] == f"continued after epoch {epochs}" + (f" and {more} steps" if more else "")
    assert_same(folder, whole)


def test_it_stops_after_the_step_in_which_it_is_asked_to(config: MakeConfig, runs: Runs) -> None:
    made = config(batch_size=10)
    folder = folder_of(runs, made)
    assert train_trial(made, folder, stop=at_look(3)) is None
    begun = checkpoints.load(folder.resume_path)["begun"]
    assert (begun["steps"], begun["seen"]) == (3, 30)


@pytest.mark.parametrize("has_successor", [True, False])
def test_stopped_while_it_is_evaluated_at_last_it_only_has_to_be_evaluated(
    config: MakeConfig, runs: Runs, tmp_path: Path, has_successor: bool
) -> None:
    made, longer = (config(random_labels=True, patience=3, learning_rate=3.0, epochs=epochs) for epochs in (9, 12))
    whole, folder = Runs(tmp_path / "whole"), folder_of(runs, made)
    expected = train_trial(longer, folder_of(whole, longer))
    assert expected is not None
    assert expected.best_epoch == expected.epochs_run - 3, "other weights than the last are kept"
    looks = expected.epochs_run * (4 + 1 + 1) - 1  # four steps, a batch of validation, and between any two epochs
    assert train_trial(made, folder, has_successor=has_successor, stop=at_look(looks + 2)) is None
    result = train_trial(made, folder, has_successor=has_successor)
    assert result is not None
    assert result.environment["resumed"] == f"continued after epoch {expected.epochs_run}"
    assert train_trial(longer, folder_of(runs, longer), parent=folder) is not None
    assert_same(folder_of(runs, longer), folder_of(whole, longer))


def test_whether_it_is_to_stop_is_looked_up_once_a_second(
    config: MakeConfig, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "SECONDS_BETWEEN_LOOKS", 60.0)
    looks = iter([False, False])  # after two of three epochs, none within one
    assert train_trial(config(), folder_of(runs, config()), stop=lambda: next(looks)) is not None


@pytest.mark.parametrize("part", ["steps", "loss", "correct", "torch", "python", "numpy"])
def test_without_any_one_part_of_the_state_it_would_end_differently(config: MakeConfig, runs: Runs, part: str) -> None:
    made = config(**{**ALL_AT_ONCE, "augmentation": False})
    straight, folder = folder_of(Runs(runs.root / "straight"), made), folder_of(runs, made)
    for one in (straight, folder):
        assert train_trial(made, one, stop=at_look(2)) is None
    content = checkpoints.load(folder.resume_path)
    if part in ("torch", "python", "numpy"):
        seed_generators(12345, torch.device("cpu"))
        content["begun"]["drawn"][part] = drawn_so_far(torch.device("cpu"))[part]
    else:
        content["begun"][part] = content["begun"][part] * 0 + (1 if part == "steps" else 0)
    checkpoints.save(folder.resume_path, content)
    results = [train_trial(made, one) for one in (straight, folder)]
    assert results[0] is not None
    assert results[1] is not None
    assert without_times(results[0].epochs) != without_times(results[1].epochs)


def test_a_state_of_an_earlier_version_which_knew_no_steps_is_read(
    config: MakeConfig, runs: Runs, tmp_path: Path
) -> None:
    made = config()
    whole, folder = folder_of(Runs(tmp_path / "whole"), made), folder_of(runs, made)
    assert train_trial(made, whole) is not None
    assert train_trial(made, folder, stop=at_look(6)) is None  # four steps, one batch of validation
    content = checkpoints.load(folder.resume_path)
    assert content.pop("begun") is None
    checkpoints.save(folder.resume_path, content)
    result = train_trial(made, folder)
    assert result is not None
    assert result.environment["resumed"] == "continued after epoch 1"
    assert_same(folder, whole)


@pytest.mark.parametrize(("takes", "times"), [(0.1, [30, 60, 90]), (1.5, [30, 62, 94]), (6.0, [30, 156, 282])])
def test_a_state_is_saved_every_half_minute_or_less_often_where_that_takes_long(
    monkeypatch: pytest.MonkeyPatch, takes: float, times: list[int]
) -> None:
    now, saved = 0.0, list[float]()
    monkeypatch.setattr(saving, "time", SimpleNamespace(monotonic=lambda: now))

    def save() -> None:
        nonlocal now
        saved.append(now)
        now += takes

    keeper = saving.Keeper(save, lambda: False)
    while len(saved) < 3:
        now = math.floor(now) + 1.0
        keeper.after_step()
    assert saved == pytest.approx(times, abs=2)
