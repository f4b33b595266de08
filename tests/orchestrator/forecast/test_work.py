"""What is left of a sweep is what the run folder has not, and what no sweep before it will have done."""

from collections.abc import Callable

from autoreg.config.overlap import Asked, asked_by
from autoreg.config.sweep_file import LoadedSweep
from autoreg.orchestrator.forecast.work import Left, Setting, settings_of
from autoreg.orchestrator.plan import make_plan
from autoreg.runs.folder import Runs

Small = Callable[..., LoadedSweep]
Finish = Callable[..., None]


def left_of(loaded: LoadedSweep, runs: Runs, earlier: Asked | None = None) -> list[Setting]:
    return settings_of(make_plan(loaded), runs, earlier or Asked())


def test_at_first_all_is_left(small: Small, runs: Runs) -> None:
    for setting in left_of(small(), runs):
        assert setting.tuning == [Left(4, (50,))] * 5
        assert setting.finals == [[Left(3, (50,))]] * 2
        assert (setting.done_count, setting.unmeasured, setting.batch_sizes()) == (0, 0, {50})
    assert not runs.root.exists(), "nothing is written"


def test_trials_that_have_ended_are_not_left(small: Small, runs: Runs, finish: Finish) -> None:
    schedule = make_plan(small()).schedule(runs)
    for _ in range(3):
        assignment = schedule.next()
        assert assignment is not None
        finish(assignment.config)
    large, little = left_of(small(), runs)
    assert (len(large.tuning), len(large.done["tune"]), large.finals_left) == (2, 3, 2)
    assert little.done_count == 0
    while assignment := schedule.next():
        finish(assignment.config)
        schedule.finished(assignment.trial_id)
    for setting in left_of(small(), runs):
        assert (setting.tuning, setting.finals, setting.unmeasured, setting.is_done) == ([], [], 2, False)
        assert {kind: len(trials) for kind, trials in setting.done.items()} == {"tune": 5, "final": 2}


def test_what_a_sweep_before_it_does_is_not_left(small: Small, runs: Runs) -> None:
    earlier = asked_by([make_plan(small("grid.width=[1/2]", "replicates=1", "tune.trials=3")).sweep])
    large, little = left_of(small(), runs, earlier)
    assert (len(large.tuning), large.finals_left) == (2, 1)
    assert (len(little.tuning), little.finals_left) == (5, 2)


def test_a_search_over_batch_sizes_leaves_them_open(small: Small, runs: Runs, finish: Finish) -> None:
    loaded = small("tune.space={batch_size: [20, 50]}", "grid.width=[1/2]", "grid.lr_batch_factor=[1/2, 2]")
    [setting] = left_of(loaded, runs)
    assert setting.tuning == [Left(4, (50,)), *[Left(4, (20, 50))] * 4]
    assert setting.finals == [[Left(3, (10, 25))]] * 2 + [[Left(3, (40, 100))]] * 2
    assert setting.batch_sizes() == {10, 20, 25, 40, 50, 100}


def test_a_longer_trial_trains_only_the_epochs_that_the_shorter_one_has_not(small: Small, runs: Runs) -> None:
    loaded = small("grid.epochs=[1, 3]", "tune=null", "grid.width=[1/2]")
    [setting] = left_of(loaded, runs)
    assert setting.finals == [[Left(1, (50,)), Left(2, (50,))]] * 2
