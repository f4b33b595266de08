"""How long a sweep will take is said as a range that holds the truth, and gets narrow as more is known."""

from collections.abc import Callable

import pytest

from autoreg.config.sweep_file import LoadedSweep
from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.durations import Durations, Range
from autoreg.orchestrator.jobs import Machine
from autoreg.orchestrator.measuring_queue import MeasuringQueue
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.progress.counts import Counts, GroupCounts, RunningTrial
from autoreg.orchestrator.progress.eta import Tracker, count_groups, eta, seconds_trained, status_of
from autoreg.orchestrator.schedule import Schedule
from autoreg.runs.folder import Runs
from tests.helpers.searching import end, next_of


class Sweep:
    """A sweep whose trials a test ends: an epoch takes a second, and a process trains all the time."""

    def __init__(self, schedule: Schedule, runs: Runs, finish: Callable[..., None]) -> None:
        self.schedule, self.runs, self.finish = schedule, runs, finish
        self.durations = Durations()
        self.ended: dict[str, TrialConfig] = {}
        self.unmeasured: set[str] = set()

    def train(self) -> TrialConfig | None:
        job = next_of(self.schedule, self.runs)
        if job is None:
            return None
        config = job.config
        self.finish(config)
        end(self.schedule, config, self.runs)
        self.ended[config.trial_id] = config
        self.durations.note_trial(config, config.epochs, float(config.epochs))
        return config

    def groups(self) -> GroupCounts:
        return count_groups(self.statuses())

    def statuses(self) -> list:
        in_flight = self.schedule.in_flight
        return [status_of(state, self.ended, self.unmeasured, in_flight) for state in self.schedule.states]

    def eta(self, speed: float = 1.0, under_way: float = 0.0) -> Range | None:
        return eta(self.statuses(), self.durations, speed, under_way, (1, 2))


@pytest.fixture
def sweep(small: Callable[..., LoadedSweep], runs: Runs, finish: Callable[..., None]) -> Sweep:
    return Sweep(make_plan(small()).schedule(runs), runs, finish)


def test_nothing_is_known_at_first(sweep: Sweep) -> None:
    assert sweep.eta() is None
    assert sweep.groups() == GroupCounts(waiting=2)


def test_after_one_trial_a_range_is_known_and_after_both_widths_a_number(sweep: Sweep) -> None:
    # Two groups of five tuning trials of four epochs and two final trials of three: 26 epochs each.
    sweep.train()
    least, most = sweep.eta() or (0.0, 0.0)
    assert least == pytest.approx(22 + 26 / 4), "the smaller width, if cost grows with the square of the width"
    assert most == pytest.approx(22 + 26), "and if it does not grow"
    while len({config.width for config in sweep.ended.values()}) == 1:
        sweep.train()
    left = 26 * 2 - sum(config.epochs for config in sweep.ended.values())
    assert sweep.eta() == pytest.approx((left, left))


def test_twice_the_speed_takes_half_the_time_and_what_is_under_way_is_not_left(sweep: Sweep) -> None:
    sweep.train()
    assert sweep.eta(speed=2.0) == pytest.approx(((22 + 26 / 4) / 2, 24))
    assert sweep.eta(speed=2.0, under_way=4.0) == pytest.approx(((18 + 26 / 4) / 2, 22))
    assert sweep.eta(speed=0.0) is None, "nothing is known of the speed"


def test_the_speed_is_at_most_that_of_all_processes(sweep: Sweep) -> None:
    config = sweep.train()
    assert config
    counts = Counts(total=14, skipped=0, to_measure=4, running={"bundle": RunningTrial(config, 0.0)})
    tracker = Tracker(counts, sweep.schedule, MeasuringQueue(1), sweep.durations)
    tracker.look(10.0, Machine(slots=2))
    assert counts.seconds_left is None, "nothing is known of the speed"
    tracker.note_end(12.0, 4.0)
    tracker.look(18.0, Machine(slots=2))
    assert counts.seconds_left == pytest.approx(((22 + 26 / 4) * 2, 48 * 2)), "four seconds of training in eight"
    tracker.note_end(20.0, 1000.0)
    tracker.look(20.0, Machine(slots=2))
    assert counts.seconds_left == pytest.approx(((22 + 26 / 4) / 2, 48 / 2)), "most of it before an interruption"
    assert counts.groups == GroupCounts(waiting=1, tuning=1)


def test_trials_that_end_early_make_those_to_come_shorter(sweep: Sweep) -> None:
    config = sweep.train()
    assert config
    sweep.durations.note_trial(config, epochs=1, seconds=1.0)
    # Tuning trials need 5 of 8 epochs; of final ones nothing is known.
    least, most = sweep.eta() or (0.0, 0.0)
    assert most == pytest.approx((16 + 20) * 5 / 8 + 2 * 6)
    assert least == pytest.approx(16 * 5 / 8 + 6 + (20 * 5 / 8 + 6) / 4)


def test_what_is_measured_beside_the_training_adds_nothing(sweep: Sweep) -> None:
    while config := sweep.train():
        last = config
    sweep.unmeasured = {last.trial_id}
    assert sweep.groups() == GroupCounts(measuring=1, done=1)
    assert sweep.eta() == (0, 0), "nothing is known of measuring"
    sweep.durations.note_measuring(last, 10.0)
    assert sweep.eta() == (5, 5), "two at once, without training"


def test_groups_pass_through_tuning_and_training(sweep: Sweep) -> None:
    seen = []
    while sweep.train():
        seen.append(sweep.groups())
    assert seen[0] == GroupCounts(waiting=1, tuning=1)
    assert seen[-1] == GroupCounts(done=2)
    assert any(groups.training for groups in seen)
    assert all(sum(vars(groups).values()) == 2 for groups in seen)


def test_a_group_has_begun_once_its_first_trial_runs(
    small: Callable[..., LoadedSweep], runs: Runs, finish: Callable[..., None]
) -> None:
    for overrides, begun in (((), "tuning"), (("tune=null",), "training")):
        sweep = Sweep(make_plan(small(*overrides)).schedule(runs), runs, finish)
        assert sweep.groups() == GroupCounts(waiting=2)
        assert next_of(sweep.schedule, sweep.runs)
        assert sweep.groups() == GroupCounts(**{"waiting": 1, begun: 1})


def test_a_trial_that_runs_goes_on_between_its_epochs(config: Callable[..., TrialConfig]) -> None:
    silent, running = (RunningTrial(config(epochs=10), since=100.0) for _ in range(2))
    running.update(106.0, 3, 0.5, 0.9, 2.0)
    assert seconds_trained([silent, running], now=106.0) == 6
    assert seconds_trained([silent, running], now=107.0) == 7
    assert seconds_trained([running], now=1000.0) == 20
