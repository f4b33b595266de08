"""What is left of a sweep is what the run folder has not, and what no sweep before it will have done."""

from collections.abc import Callable, Iterable

from autoreg.config.overlap import Keys, keys_of
from autoreg.config.sweep_file import LoadedSweep
from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.driver import Driver
from autoreg.orchestrator.forecast.left import GroupLeft, left_of
from autoreg.orchestrator.jobs import Place
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.progress.eta import status_of
from autoreg.runs.folder import Runs
from tests.helpers.searching import end, next_of

Small = Callable[..., LoadedSweep]
Finish = Callable[..., None]


def groups_left(loaded: LoadedSweep, runs: Runs, earlier: Keys = frozenset()) -> list[GroupLeft]:
    return list(left_of(make_plan(loaded), runs, earlier))


def shown(trials: Iterable[TrialConfig]) -> list[tuple[int, int]]:
    """The epochs and the batch size of each trial."""
    return [(trial.epochs, trial.effective_batch_size) for trial in trials]


def test_at_first_all_is_left(small: Small, runs: Runs) -> None:
    for group in groups_left(small(), runs):
        assert shown(group.tuning) == [(4, 50)] * 5
        assert shown(group.finals) == [(3, 50)] * 2
        assert (group.ended, group.unmeasured) == ([], 0)
    assert not runs.root.exists(), "nothing is written"


def test_trials_that_have_ended_are_not_left(small: Small, runs: Runs, finish: Finish) -> None:
    schedule = make_plan(small()).schedule(runs)
    for _ in range(3):
        job = next_of(schedule, runs)
        assert job is not None
        finish(job.config)
        end(schedule, job.config, runs)
    large, little = groups_left(small(), runs)
    assert (len(large.tuning), len(large.ended), len(large.finals)) == (2, 3, 2)
    assert little.ended == []
    while job := next_of(schedule, runs):
        finish(job.config)
        end(schedule, job.config, runs)
    for group in groups_left(small(), runs):
        assert (group.tuning, group.finals, group.unmeasured) == ([], [], 2)
        assert [config.kind for config in group.ended] == ["tune"] * 5 + ["final"] * 2


def test_a_search_of_two_batch_sizes_is_done_after_two_trials(small: Small, runs: Runs, finish: Finish) -> None:
    loaded = small("tune.space={batch_size: [25, 50]}", "tune.trials=8", "grid.width=[1/2]")
    plan = make_plan(loaded)
    assert plan.sweep.tuning_count == 2
    assert [len(group.tuning) for group in groups_left(loaded, runs)] == [2]
    schedule, driver = (
        plan.schedule(runs),
        Driver(plan, plan.schedule(runs), Place(runs.root, None, runs.scratch, None), 0),
    )
    while job := next_of(schedule, runs):
        finish(job.config)
        end(schedule, job.config, runs)
    [group] = groups_left(loaded, runs)
    assert (group.trials, len(group.ended)) == ([], driver.counts.total)
    [status] = [status_of(state, schedule.ended, set(), set()) for state in schedule.states]
    assert (status.stage, status.tuning_left, status.finals_left) == ("done", 0, 0)


def test_what_a_sweep_before_it_does_is_not_left(small: Small, runs: Runs) -> None:
    earlier = keys_of([make_plan(small("grid.width=[1/2]", "replicates=1", "tune.trials=3")).sweep])
    large, little = groups_left(small(), runs, earlier)
    assert (len(large.tuning), len(large.finals)) == (2, 1)
    assert (len(little.tuning), len(little.finals)) == (5, 2)


def test_lr_batch_factors_change_the_batch_size(small: Small, runs: Runs) -> None:
    [group] = groups_left(small("grid.width=[1/2]", "grid.lr_batch_factor=[1/2, 2]"), runs)
    assert shown(group.finals) == [(3, 25)] * 2 + [(3, 100)] * 2


def test_trials_may_end_early_only_by_patience_or_pruning(small: Small, runs: Runs) -> None:
    cases = {
        ("tune=null",): False,
        ("tune=null", "training.patience=2"): True,
        (): True,
        ("tune.pruning=none",): False,
    }
    for overrides, expected in cases.items():
        assert {group.may_end_early for group in groups_left(small(*overrides), runs)} == {expected}, overrides
