"""Training: what it keeps and when it stops. That an interrupted trial ends as others: `faults/test_continued.py`."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from autoreg.config.trial import Choice, TrialConfig
from autoreg.datasets import Dataset, build_dataset, forget_datasets
from autoreg.errors import ConfigError
from autoreg.runs.folder import Runs
from autoreg.runs.records import selection_score
from autoreg.training import checkpoints
from autoreg.training.epoch import evaluate, train_epoch
from autoreg.training.loop import load_network, train_trial
from autoreg.training.state import TrialState
from tests.helpers.drawing import MADE
from tests.helpers.image_trials import folder_of, weights_of

MakeConfig = Callable[..., TrialConfig]


def test_a_trial_learns_and_leaves_its_record(runs: Runs, config: MakeConfig) -> None:
    made = config(epochs=20)
    folder = folder_of(runs, made)
    seen: list[int] = []
    result = train_trial(made, folder, on_epoch=lambda epoch: seen.append(epoch.epoch))
    assert result is not None
    assert result.status == "done"
    assert seen == list(range(1, 21))
    assert result.train_accuracy is not None
    assert result.train_accuracy > 0.9
    assert (result.parameters, [layer.units for layer in result.layers]) == (418, [32])
    assert folder.read_result() == result
    assert sorted(path.name for path in folder.path.iterdir()) == ["checkpoint.pt", "config.json", "result.json"]
    dataset = build_dataset(made, None)
    assert evaluate(load_network(made, folder, dataset), dataset, "test")[1] == result.test_accuracy


def test_the_learning_rate_is_set_in_every_step_and_an_epoch_records_its_last(runs: Runs, config: MakeConfig) -> None:
    # Four steps an epoch: 0, 1/4, 1/2 and 3/4 of the rate while it warms up.
    schedule = Choice(name="step", options={"boundaries": [2], "warmup": 1})
    made = config(schedule=schedule, learning_rate=0.4, batch_size=50, epochs=3)
    result = train_trial(made, folder_of(runs, made))
    assert result is not None
    assert [epoch.learning_rate for epoch in result.epochs] == pytest.approx([0.3, 0.4, 0.04])


def test_averaged_weights_follow_the_trained_ones_and_are_what_is_kept(runs: Runs, config: MakeConfig) -> None:
    made = config(weight_average=0.5, epochs=3)
    dataset = build_dataset(made, None)
    state = TrialState.fresh(made, dataset)
    steps: list[Tensor] = []
    weight = state.network.maps()[0][1].weight
    state.optimizer.register_step_post_hook(lambda *_: steps.append(weight.detach().clone()))
    for _ in range(3):
        train_epoch(made, dataset, state)
    average = steps[0]
    for number, trained in enumerate(steps[1:], start=1):
        kept = min(0.5, (1 + number) / (10 + number))
        average = kept * average + (1 - kept) * trained
    assert len(steps) == 12
    assert torch.allclose(state.kept.maps()[0][1].weight, average)
    assert not torch.allclose(average, steps[-1], atol=1e-4)
    folder = folder_of(runs, made)
    train_trial(made, folder)
    assert torch.allclose(weights_of(folder)["stages.hidden.0.weight"], average)


def test_early_stopping_keeps_the_best_weights(runs: Runs, config: MakeConfig) -> None:
    made = config(epochs=200, patience=5, learning_rate=0.3)
    result = train_trial(made, folder_of(runs, made))
    assert result is not None
    assert result.best_epoch is not None
    assert result.epochs_run == result.best_epoch + 5 < 200
    best = max(epoch.validation_accuracy for epoch in result.epochs)
    assert result.validation_accuracy == result.epochs[result.best_epoch - 1].validation_accuracy == best


def test_without_patience_the_last_weights_are_kept(runs: Runs, config: MakeConfig) -> None:
    made = config(epochs=5)
    result = train_trial(made, folder_of(runs, made))
    assert result is not None
    assert (result.epochs_run, result.best_epoch) == (5, 5)


def test_a_diverged_trial_is_recorded_as_such_with_null_losses(runs: Runs, config: MakeConfig) -> None:
    made = config(learning_rate=1e30, epochs=10)
    folder = folder_of(runs, made)
    result = train_trial(made, folder)
    assert result is not None
    assert result.status == "diverged"
    assert result.epochs[-1].train_loss is None
    assert result.test_accuracy is None
    assert not folder.checkpoint_path.exists()
    assert not math.isnan(result.epochs[-1].validation_accuracy)


def test_a_trial_that_falls_behind_is_pruned_and_one_that_does_not_is_not(runs: Runs, config: MakeConfig) -> None:
    made = config(kind="tune", epochs=4)
    result = train_trial(made, folder_of(runs, made), prune_below=[None, 1.01])
    assert result is not None
    assert (result.status, result.epochs_run) == ("pruned", 2)
    other = config(kind="tune", epochs=5)
    result = train_trial(other, folder_of(runs, other), prune_below=[0.0, 0.0, None])
    assert result is not None
    assert (result.status, result.epochs_run) == ("done", 5)


def test_tuning_never_looks_at_the_test_split(runs: Runs, config: MakeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    real = Dataset.batches

    def watched(self: Dataset, name: str, *rest: Any) -> Any:
        looked.append(name)
        return real(self, name, *rest)

    monkeypatch.setattr(Dataset, "batches", watched)
    made = config(kind="tune")
    folder = folder_of(runs, made)
    result = train_trial(made, folder)
    assert result is not None
    assert set(looked) == {"train", "validation"}
    assert result.test_accuracy is None
    assert not folder.checkpoint_path.exists()


def test_random_labels_are_shared_by_all_widths_and_leave_test_labels_true(config: MakeConfig) -> None:
    true = build_dataset(config(), None)
    narrow, wide, other = (
        build_dataset(config(random_labels=True, **changes), None)
        for changes in ({"width": 0.25}, {"width": 4.0}, {"replicate": 1})
    )
    assert torch.equal(narrow.train.labels, wide.train.labels)
    assert not torch.equal(narrow.train.labels, other.train.labels)
    assert not torch.equal(narrow.train.labels, true.train.labels)
    assert not torch.equal(narrow.validation.labels, true.validation.labels)
    assert torch.equal(narrow.test.labels, true.test.labels)


def test_random_labels_learnt_by_heart_end_the_training(runs: Runs, config: MakeConfig) -> None:
    data = Choice(name="teacher", options={"train_size": 20, "validation_size": 50, "test_size": 50})
    changes = {"random_labels": True, "dataset": data, "batch_size": 10, "width": 4.0, "learning_rate": 0.5}
    made = config(**changes, epochs=500, patience=100)
    result = train_trial(made, folder_of(runs, made))
    assert result is not None
    assert result.epochs[-1].train_accuracy == 1.0
    assert result.epochs_run < 500
    fixed = config(**changes, epochs=result.epochs_run + 2)
    longer = train_trial(fixed, folder_of(runs, fixed))
    assert longer is not None
    assert longer.epochs_run == fixed.epochs, "without early stopping all epochs are trained"


def test_a_state_of_other_data_is_not_used(runs: Runs, config: MakeConfig) -> None:
    made = config()
    folder = folder_of(runs, made)
    train_trial(made, folder, stop=lambda: True)
    content = checkpoints.load(folder.resume_path)
    checkpoints.save(folder.resume_path, {**content, "data": "another"})
    result = train_trial(made, folder)
    assert result is not None
    assert result.environment["resumed"] == "resume.pt is of other data; trained from the start"


def test_zero_epochs_measure_the_initial_network(runs: Runs, config: MakeConfig) -> None:
    made = config(epochs=0)
    result = train_trial(made, folder_of(runs, made))
    assert result is not None
    assert (result.status, result.epochs_run, result.best_epoch) == ("done", 0, None)
    assert folder_of(runs, made).checkpoint_path.exists()


def test_the_order_of_examples_is_the_files_if_it_is_not_shuffled(config: MakeConfig) -> None:
    dataset = build_dataset(config(), None)
    stored = torch.cat([labels for _, labels in dataset.train.batches(30)])
    assert torch.equal(stored, dataset.train.labels)


def test_a_batch_larger_than_the_data_and_augmentation_where_there_is_none_are_refused(config: MakeConfig) -> None:
    with pytest.raises(ConfigError, match="a batch must not be larger than the training set of 200 examples, got 201"):
        build_dataset(config(batch_size=201), None)
    with pytest.raises(ConfigError, match="has no augmentation"):
        build_dataset(config(augmentation=True), None)


def test_a_checkpoint_of_another_trial_is_refused(runs: Runs, config: MakeConfig) -> None:
    made, other = config(), config(width=0.5)
    train_trial(made, folder_of(runs, made))
    target = folder_of(runs, other)
    target.path.mkdir(parents=True)
    target.checkpoint_path.write_bytes(folder_of(runs, made).checkpoint_path.read_bytes())
    with pytest.raises(checkpoints.DamagedCheckpoint, match=r"checkpoint.pt is of another trial"):
        load_network(other, target, build_dataset(other, None))


def test_one_example_less_than_a_batch_still_counts(config: MakeConfig, runs: Runs) -> None:
    made = config(batch_size=199, epochs=1)
    seen = build_dataset(made, None)
    sizes = [len(labels) for _, labels in seen.train.batches(199)]
    assert sizes == [199, 1]


def test_a_network_that_draws_its_own_biases_starts_the_same_every_time(tmp_path: Path, config: MakeConfig) -> None:
    made = config(network=Choice(name="tests.helpers.outside:build"), epochs=0)
    weights = []
    for name in ("first", "again"):
        torch.manual_seed(len(name))
        folder = folder_of(Runs(tmp_path / name), made)
        train_trial(made, folder)
        weights.append(weights_of(folder))
    for name, weight in weights[0].items():
        assert torch.equal(weights[1][name], weight)


def test_a_network_that_breaks_in_the_last_step_of_an_epoch_has_diverged(runs: Runs, config: MakeConfig) -> None:
    made = config(epochs=1, batch_size=200, learning_rate=1e30)  # the last step is the only one
    result = train_trial(made, folder_of(runs, made))
    assert result is not None
    assert (result.status, result.epochs[0].validation_loss) == ("diverged", None)
    assert result.epochs[0].train_loss is not None


def test_random_labels_are_chosen_and_pruned_by_training_accuracy(runs: Runs, config: MakeConfig) -> None:
    made = config(random_labels=True, kind="tune", epochs=3)
    result = train_trial(made, folder_of(runs, made), prune_below=[None, 1.0])
    assert result is not None
    assert (result.status, result.epochs_run) == ("pruned", 2)
    [first, *_] = result.epochs
    assert selection_score(made, first) == first.train_accuracy
    assert selection_score(config(), first) == first.validation_accuracy


def test_what_a_network_draws_by_numpy_and_python_is_that_of_its_replicate(runs: Runs, config: MakeConfig) -> None:
    network = Choice(name="tests.helpers.drawing:build")
    drawn = []
    for replicate in (0, 1, 0):
        made = config(network=network, replicate=replicate)
        drawn.append(TrialState.fresh(made, build_dataset(made, None)).network.state_dict()["stages.first.drawn"])
    assert torch.equal(drawn[0], drawn[2])
    assert not torch.equal(drawn[0], drawn[1])


def test_a_trial_does_not_go_on_with_what_another_left_in_an_own_dataset(
    runs: Runs, config: MakeConfig, tmp_path: Path
) -> None:
    dataset = Choice(name="tests.helpers.drawing:noisy")
    first, second = (config(dataset=dataset, augmentation=True, epochs=2, replicate=number) for number in (0, 1))
    alone = train_trial(second, Runs(tmp_path / "alone").trial(second.trial_id))
    train_trial(first, folder_of(runs, first))
    after = train_trial(second, folder_of(runs, second))
    assert alone is not None
    assert after is not None
    assert [epoch.train_loss for epoch in after.epochs] == [epoch.train_loss for epoch in alone.epochs]


@pytest.mark.parametrize(
    ("way", "times"),
    [("plain", 1), ("prepares", 3), ("augments", 3), ("draws by torch", 3), ("draws by numpy", 3)],
)
def test_an_own_dataset_is_made_once_if_no_trial_can_change_it(config: MakeConfig, way: str, times: int) -> None:
    MADE.clear()
    forget_datasets()
    for replicate in range(3):
        dataset = Choice(name="tests.helpers.drawing:counted", options={"way": way})
        build_dataset(config(dataset=dataset, replicate=replicate), None)
    assert MADE.count(way) == len(MADE) == times
