"""Tiny trials go in bundles, large ones and unknown ones alone, and none is lost whatever becomes of its bundle."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from autoreg.config.group import Group
from autoreg.config.sweep_file import LoadedSweep
from autoreg.config.trial import Choice, TrialConfig
from autoreg.orchestrator.bundles import SECONDS, next_bundle
from autoreg.orchestrator.durations import Durations
from autoreg.orchestrator.jobs import BundleJob, Place, Share, TrialJob
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.ray_runtime.worker import code_mark
from autoreg.orchestrator.schedule import Schedule
from autoreg.runs.folder import Runs

Small = Callable[..., LoadedSweep]
Finish = Callable[..., None]


class Setup:
    """A schedule of 2 widths × `replicates` final trials, and durations, on two slots."""

    def __init__(self, small: Small, runs: Runs, replicates: int = 20) -> None:
        self.schedule: Schedule = make_plan(small("tune=null", f"replicates={replicates}")).schedule(runs)
        self.durations = Durations()
        self.left = 2 * replicates

    @staticmethod
    def resources(job: TrialJob) -> float:
        return job.config.width

    def next_bundle(self) -> list[TrialJob]:
        return next_bundle(self.schedule, self.durations, self.resources, self.left // 4)

    def next(self) -> list[TrialConfig]:
        bundle = self.next_bundle()
        self.left -= len(bundle)
        return [job.config for job in bundle]

    def first_took(self, seconds: float) -> None:
        """Let a trial of the widest network end."""
        [config] = self.next()
        self.durations.note_trial(config, config.epochs, seconds)


@pytest.fixture
def setup(small: Small, runs: Runs) -> Setup:
    return Setup(small, runs)


def test_a_trial_goes_alone_until_it_is_known_how_long_it_takes(setup: Setup) -> None:
    assert [len(setup.next()) for _ in range(3)] == [1, 1, 1]


def test_a_bundle_takes_about_so_long(setup: Setup) -> None:
    setup.first_took(SECONDS / 5)
    assert len(setup.next()) == 5


def test_a_large_trial_goes_alone(setup: Setup) -> None:
    setup.first_took(SECONDS)
    assert len(setup.next()) == 1


def test_bundles_hold_trials_of_the_same_resources_and_get_smaller_towards_the_end(setup: Setup) -> None:
    setup.first_took(0.001)
    bundles = []
    while bundle := setup.next():
        bundles.append(bundle)
    assert all(len({config.width for config in bundle}) == 1 for bundle in bundles)
    assert [len(bundle) for bundle in bundles] == [9, 7, 3, 5, 3, 3, 2, 1, 1, 1, 1, 1, 1, 1]
    ids = [config.trial_id for bundle in bundles for config in bundle]
    assert len(ids) == len(set(ids)) == 39


def test_what_was_tried_before_takes_no_other_with_it(setup: Setup) -> None:
    setup.first_took(0.001)
    [job, *rest] = setup.next_bundle()
    for other in rest:
        setup.schedule.put_back(other.trial_id)
    setup.schedule.try_again(job.trial_id, alone=False)
    assert [other.trial_id for other in setup.next_bundle()] == [job.trial_id]
    again = setup.next_bundle()
    assert {other.trial_id for other in rest} <= {other.trial_id for other in again}
    assert {other.attempt for other in again} == {0}, "what was put back was not tried"


def test_trials_of_own_code_share_a_bundle_with_trials_of_the_same_code_only(small: Small, runs: Runs) -> None:
    names = ("sets_dtype", "sets_dtype", "other")
    templates = [_own(small, name, learning_rate=0.1 + number) for number, name in enumerate(names)]
    groups = [Group(template, None, (1.0,), 20, (template.epochs,)) for template in templates]
    schedule, durations = Schedule(groups), Durations()
    following = partial(next_bundle, schedule, durations, lambda _: 0.0, 15)
    [first] = following()
    durations.note_trial(first.config, first.config.epochs, 0.001)
    bundles = iter(following, [])
    codes = [{job.config.own_code for job in bundle} for bundle in bundles]
    assert [len(code) for code in codes] == [1] * len(codes)
    assert len(set().union(*codes)) == 2


def test_a_process_goes_on_with_bundles_of_the_same_code_only(small: Small) -> None:
    def mark(config: TrialConfig) -> int:
        return code_mark(BundleJob("bundle", (TrialJob(config),), (), Place(Path(), None, Path()), Share()))

    packaged = make_plan(small("tune=null")).groups[0][0].template
    assert mark(packaged) == 0
    assert mark(_own(small, "sets_dtype")) == mark(_own(small, "sets_dtype", replicate=3))
    assert len({mark(packaged), mark(_own(small, "sets_dtype")), mark(_own(small, "other"))}) == 3


def _own(small: Small, name: str, **changes: object) -> TrialConfig:
    choice = Choice(name=f"tests.helpers.leaky:{name}", options={}, source="0123")
    template = make_plan(small("tune=null")).groups[0][0].template
    return template.model_copy(update={"network": choice, **changes})
