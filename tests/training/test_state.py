"""A longer trial that goes on from a shorter one ends with the same bits as one that was trained from the start."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from autoreg.config.trial import Choice, TrialConfig
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.records import TrialResult
from autoreg.training.loop import train_trial
from tests.helpers.image_trials import ALEXNET, folder_of, weights_of, without_times

MakeConfig = Callable[..., TrialConfig]
#: Dropout, augmentation, momentum and a learning rate that falls: all that an epoch takes over from the one before.
FALLING = {"schedule": Choice(name="exponential", options={"decay": 0.5}), "patience": None}


def trained(folder: TrialFolder, made: TrialConfig, **options: Any) -> TrialResult:
    result = train_trial(made, folder, **options)
    assert result is not None
    assert result.status == "done"
    return result


def assert_same(one: TrialFolder, other: TrialFolder) -> None:
    [first, second] = [folder.read_result() for folder in (one, other)]
    assert without_times(first.epochs) == without_times(second.epochs)
    changing = {"epochs", "seconds", "finished_at", "environment"}
    assert first.model_dump(exclude=changing) == second.model_dump(exclude=changing)
    weights = weights_of(other)
    for name, weight in weights_of(one).items():
        assert torch.equal(weights[name], weight), name


@pytest.mark.parametrize(
    "changes",
    [FALLING, ALEXNET | FALLING, FALLING | {"weight_average": 0.9}, FALLING | {"richness": 0.2}],
    ids=["mlp", "alexnet", "averaged weights", "richness"],
)
def test_a_trial_that_goes_on_is_bit_equal_to_one_from_the_start(
    tmp_path: Path, config: MakeConfig, changes: dict[str, Any]
) -> None:
    short, long = (config(**{**changes, "epochs": epochs}) for epochs in (2, 4))
    straight, broken = Runs(tmp_path / "straight"), Runs(tmp_path / "broken")
    trained(folder_of(straight, short), short)
    trained(folder_of(straight, long), long)
    first, second = folder_of(broken, short), folder_of(broken, long)
    trained(first, short, has_successor=True)
    assert first.resume_path.is_file()
    result = trained(second, long, parent=first)
    assert result.environment["resumed"] == f"continued after epoch 2 of {short.trial_id}"
    assert_same(first, folder_of(straight, short))
    assert_same(second, folder_of(straight, long))
    assert not first.resume_path.exists()
    assert not second.resume_path.exists()


def test_the_middle_one_of_three_keeps_its_own_state_and_removes_the_one_before(runs: Runs, config: MakeConfig) -> None:
    one, two, three = (config(epochs=epochs) for epochs in (1, 2, 3))
    trained(folder_of(runs, one), one, has_successor=True)
    trained(folder_of(runs, two), two, parent=folder_of(runs, one), has_successor=True)
    assert not folder_of(runs, one).resume_path.exists()
    result = trained(folder_of(runs, three), three, parent=folder_of(runs, two))
    assert result.environment["resumed"] == f"continued after epoch 2 of {two.trial_id}"
    assert not folder_of(runs, two).resume_path.exists()


def test_without_the_shorter_ones_state_a_trial_starts_anew_and_ends_the_same(
    tmp_path: Path, config: MakeConfig
) -> None:
    short, long = config(epochs=1), config(epochs=2)
    straight, alone = (Runs(tmp_path / name) for name in ("straight", "alone"))
    trained(folder_of(straight, long), long)
    trained(folder_of(alone, short), short)
    result = trained(folder_of(alone, long), long, parent=folder_of(alone, short))
    assert "resumed" not in result.environment
    assert_same(folder_of(alone, long), folder_of(straight, long))


def test_a_damaged_state_of_the_shorter_one_is_not_used_and_the_record_says_so(
    tmp_path: Path, config: MakeConfig
) -> None:
    short, long = config(epochs=1), config(epochs=2)
    straight, damaged = (Runs(tmp_path / name) for name in ("straight", "damaged"))
    trained(folder_of(straight, long), long)
    trained(folder_of(damaged, short), short, has_successor=True)
    folder_of(damaged, short).resume_path.write_bytes(b"PK\x03\x04 damaged")
    result = trained(folder_of(damaged, long), long, parent=folder_of(damaged, short))
    assert result.environment["resumed"].startswith("resume.pt cannot be read as a checkpoint: ")
    assert result.environment["resumed"].endswith("; trained from the start")
    assert_same(folder_of(damaged, long), folder_of(straight, long))


def test_an_interrupted_longer_trial_goes_on_from_its_own_state(tmp_path: Path, config: MakeConfig) -> None:
    short, long = config(epochs=1), config(epochs=4)
    straight, broken = (Runs(tmp_path / name) for name in ("straight", "broken"))
    trained(folder_of(straight, long), long)
    first, second = folder_of(broken, short), folder_of(broken, long)
    trained(first, short, has_successor=True)
    assert train_trial(long, second, parent=first, stop=lambda: True) is None
    assert first.resume_path.is_file()
    result = trained(second, long, parent=first)
    assert result.environment["resumed"] == "continued after epoch 2"
    assert_same(second, folder_of(straight, long))
    assert not first.resume_path.exists()
