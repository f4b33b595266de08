"""Tiny trials go in packs, large ones and unknown ones alone, and none is lost whatever becomes of its pack."""

from collections.abc import Callable

import pytest

from autoreg.config.sweep_file import LoadedSweep
from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.bundles import SECONDS, Pace, Packer
from autoreg.orchestrator.group_state import Assignment
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.schedule import Schedule
from autoreg.runs.folder import Runs
from autoreg.runs.records import TrialResult

Small = Callable[..., LoadedSweep]
Finish = Callable[..., None]


def ended(config: TrialConfig, seconds: float) -> TrialResult:
    return TrialResult(
        status="done", finished_at="2026-01-01T00:00:00+00:00", epochs_run=config.epochs, seconds=seconds
    )


class Setup:
    """A schedule of 2 widths × `replicates` final trials, a pace and a packer of two slots."""

    def __init__(self, small: Small, runs: Runs, replicates: int = 20) -> None:
        self.schedule: Schedule = make_plan(small("tune=null", f"replicates={replicates}")).schedule(runs)
        self.pace = Pace()
        self.left = 2 * replicates
        self.packer = Packer(self.schedule, self.pace, self.resources, slots=2, remaining=lambda: self.left)

    @staticmethod
    def resources(assignment: Assignment) -> float:
        return assignment.config.width

    def next(self) -> list[TrialConfig]:
        pack = self.packer.next()
        self.left -= len(pack)
        return [assignment.config for assignment in pack]

    def first_took(self, seconds: float) -> None:
        """Let a trial of the widest network end."""
        [config] = self.next()
        self.pace.note(config, ended(config, seconds))


@pytest.fixture
def setup(small: Small, runs: Runs) -> Setup:
    return Setup(small, runs)


def test_a_trial_goes_alone_until_it_is_known_how_long_it_takes(setup: Setup) -> None:
    assert [len(setup.next()) for _ in range(3)] == [1, 1, 1]


def test_a_pack_takes_about_so_long(setup: Setup) -> None:
    setup.first_took(SECONDS / 5)
    assert len(setup.next()) == 5


def test_a_large_trial_goes_alone(setup: Setup) -> None:
    setup.first_took(SECONDS)
    assert len(setup.next()) == 1


def test_packs_hold_trials_of_the_same_resources_and_get_smaller_towards_the_end(setup: Setup) -> None:
    setup.first_took(0.001)
    packs = []
    while pack := setup.next():
        packs.append(pack)
    assert all(len({config.width for config in pack}) == 1 for pack in packs)
    assert [len(pack) for pack in packs] == [9, 7, 3, 5, 3, 3, 2, 1, 1, 1, 1, 1, 1, 1]
    ids = [config.trial_id for pack in packs for config in pack]
    assert len(ids) == len(set(ids)) == 39


def test_what_was_tried_before_takes_no_other_with_it(setup: Setup) -> None:
    setup.first_took(0.001)
    [assignment, *rest] = setup.packer.next()
    for other in rest:
        setup.schedule.put_back(other.trial_id)
    setup.schedule.try_again(assignment.trial_id, alone=False)
    assert [made.trial_id for made in setup.packer.next()] == [assignment.trial_id]
    again = setup.packer.next()
    assert {made.trial_id for made in rest} <= {made.trial_id for made in again}
    assert {made.attempt for made in again} == {0}, "what was put back was not tried"


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
def test_a_trial_is_taken_to_last_as_long_as_its_weights_and_steps_say_at_most(
    config: Callable[..., TrialConfig], changes: dict[str, object], factor: float
) -> None:
    known = config(width=0.5, epochs=3, batch_size=50)
    pace = Pace()
    pace.note(known, ended(known, 1.5))
    assert pace.seconds(known.model_copy(update=changes)) == pytest.approx(1.5 * factor)


def test_nothing_is_said_of_other_networks_and_data(config: Callable[..., TrialConfig]) -> None:
    pace = Pace()
    known = config()
    pace.note(known, ended(known, 1.5))
    assert pace.seconds(known.model_copy(update={"augmentation": True})) is None
