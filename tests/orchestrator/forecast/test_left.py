"""What is left of a sweep is what the run folder has not, and what no sweep before it will have done."""

from collections.abc import Callable, Iterable

from autoreg.config.overlap import Keys, keys_of
from autoreg.config.sweep_file import LoadedSweep
from autoreg.orchestrator.forecast.left import GroupLeft, TrialLeft, left_of
from autoreg.orchestrator.plan import make_plan
from autoreg.runs.folder import Runs
from tests.helpers.searching import end, next_of

Small = Callable[..., LoadedSweep]
Finish = Callable[..., None]


def groups_left(loaded: LoadedSweep, runs: Runs, earlier: Keys = frozenset()) -> list[GroupLeft]:
    return left_of(make_plan(loaded), runs, earlier)


def shown(trials: Iterable[TrialLeft]) -> list[tuple[int, int]]:
    """The epochs and the batch size of each trial."""
    return [(trial.epochs, trial.config.effective_batch_size) for trial in trials]


def test_at_first_all_is_left(small: Small, runs: Runs) -> None:
    for group in groups_left(small(), runs):
        assert shown(group.tuning) == [(4, 50)] * 5
        assert list(map(shown, group.chains)) == [[(3, 50)]] * 2
        assert (group.ended_count, group.unmeasured) == (0, 0)
    assert not runs.root.exists(), "nothing is written"


def test_trials_that_have_ended_are_not_left(small: Small, runs: Runs, finish: Finish) -> None:
    schedule = make_plan(small()).schedule(runs)
    for _ in range(3):
        assignment = next_of(schedule, runs)
        assert assignment is not None
        finish(assignment.config)
        end(schedule, assignment.config, runs)
    large, little = groups_left(small(), runs)
    assert (len(large.tuning), len(large.ended["tune"]), len(large.finals)) == (2, 3, 2)
    assert little.ended_count == 0
    while assignment := next_of(schedule, runs):
        finish(assignment.config)
        end(schedule, assignment.config, runs)
    for group in groups_left(small(), runs):
        assert (group.tuning, group.chains, group.unmeasured, group.is_done) == ([], [], 2, False)
        assert {kind: len(trials) for kind, trials in group.ended.items()} == {"tune": 5, "final": 2}


def test_what_a_sweep_before_it_does_is_not_left(small: Small, runs: Runs) -> None:
    earlier = keys_of([make_plan(small("grid.width=[1/2]", "replicates=1", "tune.trials=3")).sweep])
    large, little = groups_left(small(), runs, earlier)
    assert (len(large.tuning), len(large.finals)) == (2, 1)
    assert (len(little.tuning), len(little.finals)) == (5, 2)


def test_lr_batch_factors_change_the_batch_size(small: Small, runs: Runs) -> None:
    [group] = groups_left(small("grid.width=[1/2]", "grid.lr_batch_factor=[1/2, 2]"), runs)
    assert shown(group.finals) == [(3, 25)] * 2 + [(3, 100)] * 2


def test_a_longer_trial_trains_only_the_epochs_that_the_shorter_one_has_not(small: Small, runs: Runs) -> None:
    [group] = groups_left(small("grid.epochs=[1, 3]", "tune=null", "grid.width=[1/2]"), runs)
    assert list(map(shown, group.chains)) == [[(1, 50), (2, 50)]] * 2


def test_trials_may_end_early_only_by_patience_or_pruning(small: Small, runs: Runs) -> None:
    cases = {
        ("tune=null",): False,
        ("tune=null", "training.patience=2"): True,
        (): True,
        ("tune.pruning=none",): False,
    }
    for overrides, expected in cases.items():
        assert {group.may_end_early for group in groups_left(small(*overrides), runs)} == {expected}, overrides
