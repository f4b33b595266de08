"""How long a trial takes is what trials like it took, between bounds where none is of its width and batch size."""

from collections.abc import Callable

import pytest

from autoreg.config.trial import Choice, TrialConfig
from autoreg.orchestrator.durations import ENOUGH, Durations, total, training_key

MakeConfig = Callable[..., TrialConfig]


@pytest.mark.parametrize(
    ("changes", "factor"),
    [
        ({}, 1),
        ({"epochs": 6}, 2),
        ({"width": 1.0}, 4),
        ({"width": 0.25}, 1),
        ({"batch_size": 10}, 5),
        ({"learning_rate": 0.7, "replicate": 3}, 1),
    ],
)
def test_a_trial_lasts_at_most_as_long_as_its_weights_and_steps_say(
    config: MakeConfig, changes: dict[str, object], factor: float
) -> None:
    known = config(width=0.5, epochs=3, batch_size=50)
    durations = Durations()
    durations.note_trial(known, epochs=3, seconds=1.5)
    assert durations.training(known.model_copy(update=changes)) == pytest.approx(1.5 * factor)


def test_own_code_that_was_edited_is_another(config: MakeConfig) -> None:
    before, now = (config(network=Choice(name="mine:build", source=source)) for source in ("a", "b"))
    durations = Durations()
    durations.note_trial(before, epochs=3, seconds=1.5)
    durations.note_measuring(before, 1.0)
    assert durations.epoch(before)
    assert (durations.epoch(now), durations.measuring(now)) == (None, None)


def test_an_epoch_takes_the_median_or_is_bounded_by_the_nearest(config: MakeConfig) -> None:
    durations = Durations()
    for seconds in (2.0, 3.0, 100.0):
        durations.note_epoch(config(width=1.0), seconds)
    assert durations.epoch(config(width=1.0)) == (3, 3)
    assert durations.epoch(config(width=2.0)) == (3, 12)
    assert durations.epoch(config(width=0.5)) == (0.75, 3)
    durations.note_epoch(config(width=4.0), 100.0)
    assert durations.epoch(config(width=3.0)) == (56.25, 100)


def test_by_two_amounts_of_work_a_part_of_the_time_is_fixed(config: Callable[..., TrialConfig]) -> None:
    key, durations = training_key(config()), Durations()
    assert (durations.known(key, (10, 50)), durations.likely(key, (10, 50))) == (None, None)
    durations.note(key, (10, 50), 3.0)
    assert durations.known(key, (10, 50)) == durations.likely(key, (10, 50)) == 3
    assert durations.known(key, (40, 50)) is None
    assert durations.likely(key, (40, 50)) == 12, "by one amount, all of it is in proportion"
    durations.note(key, (20, 50), 4.0)
    assert durations.likely(key, (40, 50)) == 6
    durations.note(key, (20, 25), 5.0)
    assert durations.likely(key, (40, 50)) == 6, "the batch size counts as well"
    durations.note(key, (80, 50), 1.0)
    assert durations.likely(key, (160, 50)) == 1, "more work never takes less"


def test_nothing_is_known_of_other_networks_data_optimizers_and_of_measuring(config: MakeConfig) -> None:
    durations = Durations()
    durations.note_trial(config(), epochs=3, seconds=1.5)
    for changes in (
        {"augmentation": True}, {"optimizer": Choice(name="adam")}, {"precision": "bfloat16"}, {"weight_average": 0.9},
        {"dataset": Choice(name="noise")}, {"network": Choice(name="alexnet")},
    ):  # fmt: skip
        assert durations.training(config(**changes)) is None, changes
    assert durations.measuring(config()) is None
    durations.note_measuring(config(), 2.0)
    assert durations.measuring(config()) == (2, 2)


def test_the_last_trials_count(config: MakeConfig) -> None:
    durations = Durations()
    for seconds in [1.0] * 10 * ENOUGH + [2.0] * ENOUGH:
        durations.note_epoch(config(), seconds)
    assert durations.epoch(config()) == (2, 2)


def test_trials_that_failed_before_an_epoch_tell_nothing(config: MakeConfig) -> None:
    durations = Durations()
    durations.note_trial(config(), epochs=0, seconds=0.0)
    assert durations.training(config()) is None
    assert durations.share_of_epochs("final") == 1


def test_the_share_of_epochs_is_that_of_all_trials_of_a_kind(config: MakeConfig) -> None:
    durations = Durations()
    for epochs in (10, 3):
        durations.note_trial(config(epochs=10), epochs, seconds=1.0)
    assert (durations.share_of_epochs("final"), durations.share_of_epochs("tune")) == (0.65, 1)


def test_a_total_is_known_if_all_that_counts_is() -> None:
    assert total([((1, 2), 3), ((4, 4), 1)]) == (7, 10)
    assert total([((1, 2), 3), (None, 0)]) == (3, 6)
    assert total([((1, 2), 3), (None, 1)]) is None
