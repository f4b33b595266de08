"""The schedule hands out every trial once, final ones as soon as their group's search has ended."""

import random
from collections.abc import Callable

import pytest

from autoreg.config.sweep_file import LoadedSweep
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.runner import SweepRunner
from autoreg.orchestrator.schedule import Schedule
from autoreg.runs.folder import Runs
from tests.helpers.searching import end, next_of

Small = Callable[..., LoadedSweep]
Finish = Callable[..., None]


def schedule_of(small: Small, runs: Runs, *overrides: str) -> Schedule:
    return make_plan(small(*overrides)).schedule(runs)


def run(
    schedule: Schedule, runs: Runs, finish: Finish, at_once: int, seed: int, stop_after: int | None = None
) -> list[str]:
    """Run trials, some at once, ending in a random order; return the ids in the order of their start."""
    rng = random.Random(seed)
    started: list[str] = []
    running = {}
    while not schedule.is_finished():
        while len(running) < at_once and (job := next_of(schedule, runs)):
            trial_id = job.config.trial_id
            assert trial_id not in started
            started.append(trial_id)
            running[trial_id] = job.config
        if not running:
            assert schedule.is_finished(), "nothing runs, and nothing can start"
            break
        trial_id = rng.choice(sorted(running))
        config = running.pop(trial_id)
        finish(config)
        end(schedule, config, runs)
        if stop_after is not None and len(started) >= stop_after:
            break
    return started


def test_every_trial_is_handed_out_once_however_many_run_at_once(small: Small, runs: Runs, finish: Finish) -> None:
    for at_once in (1, 2, 5):
        own = Runs(runs.root / str(at_once))
        schedule = schedule_of(small, own)
        assert not schedule.ended

        def finish_here(config: object, own: Runs = own) -> None:
            finish(config)
            source = runs.trial(config.trial_id)  # type: ignore[attr-defined]
            source.path.rename(own.root / source.trial_id)

        started = run(schedule, own, finish_here, at_once, seed=at_once)
        assert len(started) == len(set(started)) == 14
        assert len(schedule.ended) == 14


def test_the_same_trials_run_whatever_the_concurrency(
    small: Small, tmp_path: object, runs: Runs, finish: Finish
) -> None:
    seen = set()
    for at_once, seed in ((1, 0), (3, 1), (10, 2)):
        schedule = schedule_of(small, runs)
        seen.add(frozenset(run(schedule, runs, finish, at_once, seed)))
        for folder in runs.trials():
            folder.result_path.unlink()
        for path in runs.studies.iterdir():
            path.unlink()
    assert len(seen) == 1


def test_a_schedule_made_anew_goes_on_where_the_record_ends(small: Small, runs: Runs, finish: Finish) -> None:
    first = run(schedule_of(small, runs), runs, finish, at_once=2, seed=0, stop_after=7)
    done = {folder.trial_id for folder in runs.trials()}
    rest = run(schedule_of(small, runs), runs, finish, at_once=2, seed=1)
    assert not done & set(rest)
    assert len(done | set(rest)) == 14
    assert set(first) <= done | set(rest)
    assert schedule_of(small, runs).is_finished()


def test_there_is_no_barrier_between_tuning_and_final_trials(small: Small, runs: Runs, finish: Finish) -> None:
    schedule = schedule_of(small, runs)
    kinds = []
    running = []
    while not schedule.is_finished():
        while len(running) < 2 and (job := next_of(schedule, runs)):
            kinds.append(job.config.kind)
            running.append(job.config)
        config = running.pop(0)
        finish(config)
        end(schedule, config, runs)
    assert kinds.index("final") < len(kinds) - 1 - kinds[::-1].index("tune")


def test_a_group_whose_search_failed_has_no_final_trials_and_the_others_go_on(
    small: Small, runs: Runs, finish: Finish
) -> None:
    schedule = schedule_of(small, runs)
    while not schedule.is_finished():
        job = next_of(schedule, runs)
        assert job
        narrow = job.config.width == 0.25
        finish(job.config, "diverged" if narrow else "done")
        end(schedule, job.config, runs)
    finals = [config for _, config in schedule.planned() if config.kind == "final"]
    assert {config.width for config in finals} == {0.5}


def test_trials_of_another_sweep_are_not_trained_again(small: Small, runs: Runs, finish: Finish) -> None:
    run(schedule_of(small, runs, "grid.width=[1/4]"), runs, finish, 1, 0)
    schedule = schedule_of(small, runs, "name=larger", "replicates=3")
    assert len(schedule.ended) == 7
    started = run(schedule, runs, finish, 1, 0)
    assert len(started) == 5 + 3 + 1


def test_without_tuning_all_trials_are_final(small: Small, runs: Runs, finish: Finish) -> None:
    schedule = schedule_of(small, runs, "tune=null", "grid.lr_batch_factor=[1/2, 1]")
    assert len(run(schedule, runs, finish, 3, 0)) == 8


def test_the_widest_networks_start_first(small: Small, runs: Runs) -> None:
    job = next_of(schedule_of(small, runs), runs)
    assert job
    assert job.config.width == 0.5


LENGTHS = ("grid.epochs=[4, 1, 2]", "training.epochs=4")


def test_a_state_is_kept_only_for_a_longer_trial_that_is_to_come(small: Small, runs: Runs, finish: Finish) -> None:
    schedule = schedule_of(small, runs, "tune=null", "grid.width=[1/4]", "replicates=1", *LENGTHS)
    [state] = schedule.states
    short, middle, long = (state.final_trials() or {}).values()
    finish(long)  # by another sweep, say
    end(schedule, long, runs)
    first = schedule.next()
    assert first
    assert (first.config, first.has_successor) == (short, True)
    finish(short)
    end(schedule, short, runs)
    second = schedule.next()
    assert second
    assert (second.config, second.has_successor) == (middle, False)
    assert short.trial_id not in schedule.spent_states(), "the middle one needs it"
    finish(middle)
    end(schedule, middle, runs)
    assert {short.trial_id, middle.trial_id, long.trial_id} == set(schedule.spent_states())


def test_a_failed_trial_keeps_its_state_and_the_one_that_it_went_on_from_too(
    small: Small, runs: Runs, finish: Finish
) -> None:
    schedule = schedule_of(small, runs, "tune=null", "grid.width=[1/4]", "replicates=1", *LENGTHS)
    [state] = schedule.states
    short, middle, long = (state.final_trials() or {}).values()
    for config, status in ((short, "done"), (middle, "done"), (long, "failed")):
        finish(config, status)
        end(schedule, config, runs)
    assert set(schedule.spent_states()) == {short.trial_id}, "--retry-failed goes on from both others"


def test_a_longer_trial_starts_only_when_the_shorter_one_that_it_goes_on_from_has_ended(
    small: Small, runs: Runs, finish: Finish
) -> None:
    schedule = schedule_of(small, runs, "tune=null", "grid.width=[1/4]", "replicates=1", *LENGTHS)
    seen = []
    while not schedule.is_finished():
        job = schedule.next()
        assert job
        assert schedule.next() is None, "the longer ones wait"
        seen.append(job)
        finish(job.config)
        end(schedule, job.config, runs)
    assert [job.config.epochs for job in seen] == [1, 2, 4]
    assert [job.parent for job in seen] == [None, *(done.config.trial_id for done in seen[:-1])]
    assert [job.has_successor for job in seen] == [True, True, False]


def test_tuning_trials_and_trials_of_one_length_go_on_from_nothing(small: Small, runs: Runs, finish: Finish) -> None:
    for overrides in (("grid.epochs=[3]",), ()):
        job = next_of(schedule_of(small, runs, *overrides), runs)
        assert job
        assert (job.config.kind, job.parent, job.has_successor) == ("tune", None, False)
    job = schedule_of(small, runs, "tune=null").next()
    assert job
    assert (job.parent, job.has_successor) == (None, False)


def test_what_the_machine_let_down_is_tried_three_times(small: Small, runs: Runs, finish: Finish) -> None:
    schedule = schedule_of(small, runs, "tune=null", "grid.width=[1/4]", "replicates=1")
    attempts = []
    while job := schedule.next():
        attempts.append((job.attempt, job.is_alone))
        assert schedule.next() is None, "it is in flight"
        if schedule.tries(job.trial_id) < 3:
            schedule.try_again(job.trial_id, alone=False)
        else:
            finish(job.config, "failed")
            end(schedule, job.config, runs)
    assert attempts == [(0, False), (1, False), (2, False)]
    assert schedule.is_finished()


def test_what_ran_out_of_memory_is_tried_once_more_alone_when_nothing_else_can_start(
    small: Small, runs: Runs, finish: Finish
) -> None:
    schedule = schedule_of(small, runs, "tune=null")
    first, second = schedule.next(), schedule.next()
    assert first
    assert second
    schedule.try_again(first.trial_id, alone=True)
    others = []
    while job := schedule.next():
        assert job.trial_id != first.trial_id, "others are in flight"
        others.append(job)
    for job in [second, *others]:
        finish(job.config)
        end(schedule, job.config, runs)
    assert not schedule.is_finished()
    last = schedule.next()
    assert last
    assert (last.trial_id, last.is_alone, last.attempt) == (first.trial_id, True, 1)
    assert schedule.is_alone(first.trial_id), "more there is not"


def test_a_trial_whose_result_is_damaged_is_trained_again_and_its_group_waits_for_it(
    small: Small, runs: Runs, finish: Finish
) -> None:
    run(schedule_of(small, runs), runs, finish, 1, 0)
    tuning = next(folder for folder in runs.trials() if folder.read_config().kind == "tune")
    tuning.result_path.write_text("{")
    runner = SweepRunner(make_plan(small()), runs, runs.root.parent / "results.db")
    [line] = runner.begin()
    assert tuning.trial_id in line
    schedule = runner.driver.schedule
    assert run(schedule, runs, finish, 1, 0) == [tuning.trial_id]
    assert len(schedule.ended) == 14


@pytest.mark.parametrize(
    "damage", ["[1,", "[]", '{"proposals": [1]}', '{"proposals": [{"learning_rate": -1}]}', '{"proposals": [{}]}']
)
def test_a_damaged_record_of_a_search_is_made_again_with_the_same_settings(
    small: Small, runs: Runs, finish: Finish, damage: str
) -> None:
    run(schedule_of(small, runs), runs, finish, 1, 0)
    before = {path: path.read_text() for path in runs.studies.iterdir()}
    for path in before:
        path.write_text(damage)
    assert run(schedule_of(small, runs), runs, finish, 1, 0) == []
    assert {path: path.read_text() for path in runs.studies.iterdir()} == before
