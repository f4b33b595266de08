"""How long a sweep will take is said as a range that holds the truth, and gets narrow as more is known."""

from collections.abc import Callable

import pytest

from autoreg.config.sweep_file import LoadedSweep
from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.progress import eta as outlooks
from autoreg.orchestrator.progress.counts import Counts, RunningTrial
from autoreg.orchestrator.progress.eta import Costs, Outlook
from autoreg.orchestrator.schedule import Schedule
from autoreg.runs.folder import Runs
from autoreg.runs.records import TrialResult


class Clock:
    """Time that passes only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(outlooks, "time", clock)
    return clock


class Watched:
    """A sweep whose trials a test ends."""

    def __init__(self, schedule: Schedule, clock: Clock, finish: Callable[..., None]) -> None:
        self.schedule, self.clock, self.finish = schedule, clock, finish
        self.counts = Counts(total=14, cached=0, began=clock.now)
        self.ended: dict[str, TrialConfig] = {}
        self.unmeasured: set[str] = set()
        self.outlook = Outlook(schedule, self.counts, self.ended, lambda: self.unmeasured, lambda: (1, 2))

    def train(self) -> TrialConfig | None:
        """Train the next trial alone, a second an epoch."""
        assignment = self.schedule.next()
        if assignment is None:
            return None
        config, seconds = assignment.config, float(assignment.config.epochs)
        self.outlook.look()
        self.counts.running = {config.trial_id: RunningTrial.of(config, self.clock.now)}
        self.clock.now += seconds
        self.outlook.look()
        self.counts.running = {}
        self.finish(config)
        self.schedule.finished(config.trial_id)
        self.ended[config.trial_id] = config
        self.outlook.note_work(seconds)
        self.outlook.note(config, TrialResult(
            status="done", epochs_run=config.epochs, seconds=seconds, finished_at="2026-01-01T00:00:00+00:00"
        ))  # fmt: skip
        return config

    def look(self) -> Counts:
        self.clock.now += 3.0
        self.outlook.look()
        return self.counts


@pytest.fixture
def watched(small: Callable[..., LoadedSweep], runs: Runs, clock: Clock, finish: Callable[..., None]) -> Watched:
    return Watched(make_plan(small()).schedule(runs), clock, finish)


def test_nothing_is_known_at_first(watched: Watched) -> None:
    counts = watched.look()
    assert counts.seconds_left is None
    assert counts.trials_per_minute is None
    assert (counts.groups.waiting, counts.groups.done) == (2, 0)


def test_after_one_trial_a_range_is_known_and_after_both_widths_a_number(watched: Watched) -> None:
    # Two groups of five tuning trials of four epochs and two final trials of three: 26 epochs each.
    watched.train()
    least, most = watched.look().seconds_left or (0.0, 0.0)
    assert least == pytest.approx(22 + 26 / 4), "the smaller width, if cost grows with the square of the width"
    assert most == pytest.approx(22 + 26), "and if it does not grow"
    while len({config.width for config in watched.ended.values()}) == 1:
        watched.train()
    counts = watched.look()
    assert counts.seconds_left is not None
    assert counts.seconds_left[0] == counts.seconds_left[1]
    left = 26 * 2 - sum(config.epochs for config in watched.ended.values())
    assert counts.seconds_left[0] == pytest.approx(left)


def test_groups_pass_through_tuning_training_and_measuring(watched: Watched) -> None:
    seen = []
    while watched.train():
        groups = watched.look().groups
        seen.append((groups.waiting, groups.tuning, groups.training, groups.measuring, groups.done))
    assert seen[0] == (1, 1, 0, 0, 0)
    assert seen[-1] == (0, 0, 0, 0, 2)
    assert any(training for _, _, training, _, _ in seen)
    assert all(sum(each) == 2 for each in seen)
    watched.unmeasured = {next(reversed(watched.ended))}
    counts = watched.look()
    assert (counts.groups.measuring, counts.groups.done) == (1, 1)
    assert counts.seconds_left == (0.0, 0.0)


def test_two_at_once_take_half_the_time_and_idle_processes_longer(watched: Watched, clock: Clock) -> None:
    watched.train()
    before = watched.look().seconds_left
    assert before
    config = next(iter(watched.ended.values()))
    watched.counts.running = {name: RunningTrial.of(config, clock.now) for name in "ab"}
    clock.now += 10_000.0
    doubled = watched.look().seconds_left
    assert doubled
    assert doubled[1] == pytest.approx(before[1] / 2, rel=0.01)
    watched.outlook.note_work(4.0)  # which trained nothing
    slower = watched.look().seconds_left
    assert slower
    assert slower[1] == pytest.approx(doubled[1] * 2, rel=0.01)


def test_the_rate_is_that_of_the_last_minute(watched: Watched, clock: Clock) -> None:
    for _ in range(3):
        watched.train()
    assert watched.look().trials_per_minute == pytest.approx(60 * 3 / 15)
    clock.now += 100.0
    assert watched.look().trials_per_minute is None


def test_what_a_width_costs_is_bounded_by_its_nearest() -> None:
    costs = Costs()
    assert costs.of(("train",), 1.0) is None
    costs.note(("train",), 1.0, 2.0)
    costs.note(("train",), 1.0, 4.0)
    assert costs.of(("train",), 1.0) == (3.0, 3.0)
    assert costs.of(("train",), 2.0) == (3.0, 12.0)
    assert costs.of(("train",), 0.5) == (0.75, 3.0)
    costs.note(("train",), 4.0, 100.0)
    assert costs.of(("train",), 3.0) == (100.0 * 0.75**2, 100.0)
    assert costs.of(("measure",), 1.0) is None


def test_a_group_has_begun_once_its_first_trial_runs(
    small: Callable[..., LoadedSweep], runs: Runs, clock: Clock, finish: Callable[..., None]
) -> None:
    for overrides, begun in (((), "tuning"), (("tune=null",), "training")):
        watched = Watched(make_plan(small(*overrides)).schedule(runs), clock, finish)
        assert watched.look().groups.waiting == 2
        assert watched.schedule.next()
        groups = watched.look().groups
        assert (groups.waiting, getattr(groups, begun)) == (1, 1)
