"""What becomes of a sweep, whatever happens to it: events in, orders out, without files, processes or a clock."""

from collections import Counter
from collections.abc import Callable

import pytest

from autoreg.config.sweep import Sweep
from autoreg.config.sweep_file import LoadedSweep
from autoreg.orchestrator import events as ev
from autoreg.orchestrator.failure import Failure, Kind, out_of_time
from autoreg.orchestrator.plan import make_plan
from tests.helpers.simulated import SimulatedSweep, result_of

Start = Callable[..., SimulatedSweep]
FAILURES = {kind: Failure(kind, f"{kind}: why") for kind in Kind}


@pytest.fixture
def start(small: Callable[..., LoadedSweep]) -> Start:
    """Start the small sweep: 2 groups of 5 tuning and 2 final trials."""
    return lambda *overrides: SimulatedSweep(make_plan(small(*overrides)))


@pytest.fixture
def finals(start: Start) -> SimulatedSweep:
    """The 4 final trials of the small sweep, without tuning."""
    return start("tune=null")


def counts(sweep: SimulatedSweep) -> tuple[int, int, int, int]:
    found = sweep.driver.counts
    return found.skipped, found.done, found.failed, found.measured


def test_a_sweep_ends_with_every_trial_trained_once_and_every_final_one_measured(start: Start) -> None:
    sweep = start()
    sweep.run()
    jobs = [order.job for order in sweep.orders if isinstance(order, ev.StartBundle)]
    trained = Counter(trial.config.trial_id for job in jobs for trial in job.trials)
    assert set(trained.values()) == {1}
    assert len(trained) == 14
    assert counts(sweep) == (0, 14, 0, 4)
    assert not sweep.driver.has_work


def test_every_ending_and_every_measurement_is_written(start: Start) -> None:
    sweep = start()
    sweep.run()
    rows = Counter(order.trial_id for order in sweep.orders if isinstance(order, ev.WriteRows))
    assert sorted(rows.values()) == [1] * 10 + [2] * 4, "once when trained, final ones once more when measured"


def test_rows_are_committed_every_two_seconds_at_most(finals: SimulatedSweep) -> None:
    for second in range(10):
        finals.now = 1000.0 + second
        finals.tell(ev.Tick(), ev.Tick())
    assert finals.count(ev.Commit) == 4


def test_what_was_trained_before_is_skipped(finals: SimulatedSweep) -> None:
    configs = [config for _, config in finals.driver.schedule.planned()]
    finals.tell(ev.TrialFound(configs[0], result_of(configs[0]), is_measured=True))
    finals.tell(ev.TrialFound(configs[1], result_of(configs[1]), is_measured=False))
    assert finals.said() == [], "it is no news"
    finals.run()
    assert counts(finals) == (2, 2, 0, 4)
    assert finals.driver.endings.skipped == 2
    assert finals.driver.endings.trained == 2


def test_a_trial_that_another_sweep_has_trained_counts_as_skipped(finals: SimulatedSweep) -> None:
    job = finals.next()
    assert job
    config = job.trials[0].config
    finals.tell(ev.TrialEnded(config.trial_id, result_of(config), was_trained=False), ev.BundleEnded(job.name))
    assert counts(finals) == (1, 0, 0, 0)
    assert finals.said()[-1].endswith("(was trained already)")


#: The cores of each try.
TRIED = {Kind.TRANSIENT: [1, 1, 1], Kind.MEMORY: [1, 2], Kind.UNREACHED: [1] * 23}


@pytest.mark.parametrize("kind", TRIED)
def test_what_is_not_the_trials_fault_is_tried_again_and_then_given_up(finals: SimulatedSweep, kind: Kind) -> None:
    others = 0
    failing = None
    while job := finals.next():
        failing = failing or job.trials[0].config.trial_id
        if job.trials[0].config.trial_id == failing:
            finals.tell(ev.BundleEnded(job.name, FAILURES[kind]))
        else:
            others += 1
            finals.train(job)
    tries = [order.job for order in finals.orders if isinstance(order, ev.StartBundle)]
    tries = [job for job in tries if job.trials[0].config.trial_id == failing]
    assert others == 3
    assert [job.share.cpus for job in tries] == TRIED[kind], "for lack of memory with the machine for itself"
    assert {job.share.threads for job in tries} == {1}, "sums come out in the same order"
    assert counts(finals)[1:3] == (3, 1)
    [problem] = finals.driver.endings.problems.values()
    assert problem.endswith(f"gave up after several tries: {kind}: why")


def test_a_lost_message_is_no_try(finals: SimulatedSweep) -> None:
    said = []
    for kind in (Kind.UNREACHED, Kind.TRANSIENT, Kind.UNREACHED, Kind.TRANSIENT, Kind.TRANSIENT):
        job = finals.next()
        assert job
        orders = finals.tell(ev.BundleEnded(job.name, FAILURES[kind]))
        said.append(any(isinstance(order, ev.GiveUp) for order in orders))
    assert said == [False, False, False, False, True]


def test_a_trial_whose_results_cannot_be_read_is_given_up_after_three_tries(finals: SimulatedSweep) -> None:
    job = finals.next()
    assert job
    config, tries = job.trials[0].config, 0
    while job and job.trials[0].config == config:
        tries += 1
        finals.tell(ev.TrialEnded(config.trial_id, None, was_trained=True))
        finals.tell(ev.BundleEnded(job.name))
        job = finals.next()
    assert tries == 3
    [given_up] = [order for order in finals.orders if isinstance(order, ev.GiveUp)]
    assert given_up.failure.why == "gave up after several tries: the result that it wrote cannot be read"


def test_what_wants_to_be_alone_waits_until_nothing_else_runs(finals: SimulatedSweep) -> None:
    first, second = finals.next(), finals.next()
    assert first
    assert second
    finals.tell(ev.BundleEnded(first.name, FAILURES[Kind.MEMORY]))
    others = [job for job in (finals.next(), finals.next()) if job]
    assert finals.next() is None
    for job in (second, *others):
        finals.train(job)
    last = finals.next()
    assert last
    assert last.trials[0].config == first.trials[0].config
    assert last.share.cpus == 2


def test_a_trial_that_takes_too_long_is_given_up_at_once_and_says_where_it_stood(finals: SimulatedSweep) -> None:
    job = finals.next()
    assert job
    orders = finals.tell(ev.BundleEnded(job.name, out_of_time("net.py, line 3", 0.5)))
    [given_up] = [order for order in orders if isinstance(order, ev.GiveUp)]
    assert given_up.failure.details == "net.py, line 3"
    assert given_up.failure.why.startswith("it was stopped after 0.5 h")
    assert counts(finals) == (0, 0, 1, 0)


def test_only_the_trial_that_ran_is_to_blame_for_its_bundle(start: Start) -> None:
    sweep = start("tune=null", "replicates=20")
    for _ in range(2):  # one of each width, and the driver knows how long they take
        job = sweep.next()
        assert job
        sweep.train(job)
    while (job := sweep.next()) and len(job.trials) < 4:
        sweep.train(job)
    assert job
    first, blamed, *waiting = [trial.config.trial_id for trial in job.trials]
    sweep.tell(ev.TrialEnded(first, result_of(job.trials[0].config)))
    sweep.tell(ev.BundleEnded(job.name, FAILURES[Kind.TRANSIENT]))
    schedule = sweep.driver.schedule
    assert [schedule.tries(trial_id) for trial_id in (first, blamed, *waiting)] == [1, 1, *(0 for _ in waiting)]
    assert not schedule.in_flight
    sweep.run()
    assert counts(sweep)[1] == 40
    alone = [order.job for order in sweep.orders if isinstance(order, ev.StartBundle)]
    assert [len(job.trials) for job in alone if job.trials[0].config.trial_id == blamed] == [1], "tried again alone"


def test_a_full_disk_stops_the_sweep_and_no_trial_counts_as_failed(finals: SimulatedSweep) -> None:
    job, other = finals.next(), finals.next()
    assert job
    assert other
    finals.tell(ev.BundleEnded(job.name, FAILURES[Kind.STORAGE]))
    assert finals.next() is None
    finals.tell(ev.StorageFailed("again"), ev.TrialEnded(other.trials[0].config.trial_id, None))
    assert finals.count(ev.StopWorkers) == 1
    assert counts(finals) == (0, 0, 0, 0)
    [problem] = finals.driver.endings.problems.values()
    assert problem.endswith("cannot be written: storage: why; fix it and rerun the same command to resume")
    assert finals.driver.is_blocked
    assert len(finals.driver.schedule.in_flight) == 0


def test_once_stopped_nothing_new_begins_and_what_runs_may_end(finals: SimulatedSweep) -> None:
    first, second = finals.next(), finals.next()
    assert first
    assert second
    finals.tell(ev.StopRequested(), ev.StopRequested())
    assert finals.count(ev.StopWorkers) == 1
    assert finals.next() is None
    finals.train(first)
    finals.tell(ev.TrialEnded(second.trials[0].config.trial_id, None), ev.BundleEnded(second.name), ev.Tick())
    assert counts(finals) == (0, 1, 0, 0)
    assert not finals.measuring, "measuring is for the next run"
    assert finals.driver.has_work
    assert not finals.driver.is_blocked


def test_once_stopped_what_is_being_measured_is_waited_for_ten_seconds(finals: SimulatedSweep) -> None:
    job = finals.next()
    assert job
    finals.train(job)
    finals.tell(ev.Tick(), ev.StopRequested())
    assert len(finals.measuring) == 1
    for seconds, running in ((10.0, 1), (10.1, 0)):
        finals.now = 1000.0 + seconds
        finals.tell(ev.Tick())
        assert len(finals.driver.measuring.running) == running
    assert finals.driver.has_work
    finals.tell(ev.MeasuringEnded(finals.measuring.popleft().trial_id, 11.0))
    assert counts(finals) == (0, 1, 0, 1), "it may still come to its end"


def test_a_process_that_ends_without_a_word_has_its_trial_tried_again(finals: SimulatedSweep) -> None:
    tries = 0
    while job := finals.next():
        tries += 1
        finals.tell(ev.BundleEnded(job.name))
    assert tries == 12
    assert counts(finals) == (0, 0, 4, 0)


def test_messages_that_come_twice_late_or_of_nothing_change_nothing(finals: SimulatedSweep) -> None:
    job = finals.next()
    assert job
    config = job.trials[0].config
    ended = ev.TrialEnded(config.trial_id, result_of(config))
    late = (
        ev.EpochEnded(job.name, config.trial_id, 1, 0.5, 0.6, 0.1), ev.BundleStarted(job.name), ended,
        ev.BundleEnded(job.name), ev.BundleEnded(job.name, FAILURES[Kind.TRANSIENT]),
        ev.MeasuringEnded("0123456789abcdef-r0", 1.0),
        ev.MeasuringEnded("0123456789abcdef-r0", failure=FAILURES[Kind.MEMORY]),
    )  # fmt: skip
    finals.tell(ended, ended, ev.BundleEnded(job.name), *late, *late)
    assert counts(finals) == (0, 1, 0, 0)
    finals.run()
    finals.tell(*(ev.MeasuringEnded(config.trial_id, 1.0) for _, config in finals.driver.schedule.planned()))
    assert counts(finals) == (0, 4, 0, 4)


def test_what_ran_when_all_processes_were_lost_is_done_once_by_others_and_not_to_blame(start: Start) -> None:
    sweep = start("tune=null", "replicates=6")
    for _ in range(4):  # more than the tries of a trial that is to blame
        lost = sweep.next()
        assert lost
        sweep.started.clear()
        sweep.tell(ev.BackendLost())
    again = sweep.next()
    assert again
    assert again.trials == lost.trials
    sweep.train(again)
    sweep.tell(ev.Tick())
    measured_in_vain = {sweep.measuring.popleft().trial_id for _ in list(sweep.measuring)}
    assert measured_in_vain
    sweep.tell(ev.BackendLost())
    sweep.run()
    assert counts(sweep) == (0, 12, 0, 12)
    assert sweep.driver.endings.problems == {}
    rows = Counter(order.trial_id for order in sweep.orders if isinstance(order, ev.WriteRows))
    assert set(rows.values()) == {2}, "once when trained, once when measured"


def test_a_measurement_whose_process_is_not_to_blame_is_made_again(finals: SimulatedSweep) -> None:
    job = finals.next()
    assert job
    finals.train(job)
    finals.tell(ev.Tick())
    trial_id = finals.measuring.popleft().trial_id
    finals.tell(ev.MeasuringEnded(trial_id, failure=FAILURES[Kind.TRANSIENT]))
    assert finals.driver.endings.problems == {}
    finals.run()
    assert counts(finals) == (0, 4, 0, 4)


def test_damaged_weights_have_a_trial_trained_again_once_whoever_trained_it(finals: SimulatedSweep) -> None:
    configs = [config for _, config in finals.driver.schedule.planned()]
    finals.tell(ev.TrialFound(configs[0], result_of(configs[0]), is_measured=False))
    finals.run()
    assert counts(finals) == (1, 3, 0, 4)
    for number, config in enumerate(configs[:2]):
        damaged = ev.MeasuringEnded(config.trial_id, failure=FAILURES[Kind.TRIAL], is_damaged=True)
        finals.tell(damaged)
        assert counts(finals) == [(0, 3, 0, 3), (0, 3, 0, 3)][number], "taken back, of whichever run it was"
        assert finals.driver.has_work
        finals.run()
        assert counts(finals) == (0, 4, 0, 4)
    finals.tell(ev.MeasuringEnded(configs[0].trial_id, failure=FAILURES[Kind.TRIAL], is_damaged=True))
    assert counts(finals) == (0, 4, 0, 4)
    [problem] = finals.driver.endings.problems.values()
    assert "not measured" in problem


def test_what_runs_out_of_memory_while_measured_is_measured_three_times_at_most_and_alone(start: Start) -> None:
    sweep = start("tune=null", "resources.measuring=1")
    while job := sweep.next():
        sweep.train(job)
    sweep.tell(ev.Tick())
    greedy = sweep.measuring.popleft().trial_id
    sweep.tell(ev.MeasuringEnded(greedy, failure=FAILURES[Kind.MEMORY]))
    sweep.measure_all()
    measured = [order.job.trial_id for order in sweep.orders if isinstance(order, ev.StartMeasuring)]
    assert Counter(measured)[greedy] == 2
    assert measured[-1] == greedy
    assert counts(sweep) == (0, 4, 0, 4)
    sweep.tell(ev.MeasuringEnded(greedy, failure=FAILURES[Kind.MEMORY]))
    assert not sweep.driver.endings.problems
    sweep.tell(ev.MeasuringEnded(greedy, failure=FAILURES[Kind.MEMORY]))
    assert len(sweep.driver.endings.problems) == 1, "a third time is the last"


def test_few_trials_are_measured_beside_the_training_and_more_without(start: Start) -> None:
    sweep = start("tune=null", "resources.measuring=1", "replicates=3")
    running = sweep.next()
    for _ in range(4):
        job = sweep.next()
        assert job
        sweep.train(job)
    sweep.tell(ev.Tick(), ev.Tick())
    assert len(sweep.measuring) == 1
    assert running
    sweep.train(running)
    sweep.tell(ev.Tick())
    assert len(sweep.measuring) == 2


def test_no_event_has_the_whole_sweep_worked_out_again(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = start()
    monkeypatch.setattr(Sweep, "groups", lambda _: pytest.fail("it takes milliseconds, and seconds for a large sweep"))
    sweep.run()
    assert counts(sweep) == (0, 14, 0, 4)


def test_a_search_of_which_everything_failed_has_no_final_trials_and_is_told(start: Start) -> None:
    sweep = start("grid.width=[1/4]")
    while job := sweep.next():
        sweep.train(job, "failed")
    assert not sweep.driver.has_work
    [line] = sweep.driver.schedule.in_vain()
    assert line.startswith("no tuning trial of mlp 1/4x")
    assert counts(sweep) == (0, 0, 5, 0)


def test_the_epochs_of_a_running_trial_are_shown(finals: SimulatedSweep) -> None:
    job = finals.next()
    assert job
    finals.tell(ev.EpochEnded(job.name, job.trials[0].config.trial_id, 2, None, 0.61, 0.5))
    assert finals.said()[-1].endswith("loss not finite, validation accuracy 61.0%")
    [running] = finals.driver.counts.running.values()
    assert (running.epoch, running.accuracy) == (2, 0.61)
    finals.train(job)
    assert finals.driver.counts.running == {}


@pytest.mark.parametrize(
    ("overrides", "is_own"),
    [
        ([], False),
        (["network=tests.helpers.outside:build"], True),
        (["measure.metrics={tests.helpers.outside:units: {}}"], True),
    ],
)
def test_what_runs_own_code_is_measured_in_a_process_that_ends_with_it(
    start: Start, overrides: list[str], is_own: bool
) -> None:
    sweep = start("tune=null", *overrides)
    sweep.run()
    jobs = [order.job for order in sweep.orders if isinstance(order, ev.StartMeasuring)]
    assert [job.has_own_code for job in jobs] == [is_own] * 4
