"""Where the groups of a sweep stand, and how long what is left will take, by what is known so far."""

from collections import Counter, deque
from collections.abc import Collection, Iterable
from typing import NamedTuple

from autoreg.config.group import Group
from autoreg.orchestrator.durations import Durations, Range, total
from autoreg.orchestrator.group_state import GroupState
from autoreg.orchestrator.jobs import Machine
from autoreg.orchestrator.measuring_queue import MeasuringQueue
from autoreg.orchestrator.progress.counts import Counts, GroupCounts, RunningTrial
from autoreg.orchestrator.schedule import Schedule

SECONDS_BETWEEN_LOOKS = 2.0
#: Over how long a time it is counted how fast trials end, and how many must have ended for that to mean something.
SECONDS_OF_RATE, TRIALS_OF_RATE = 60.0, 3


class GroupStatus(NamedTuple):
    """Where a group stands.

    Attributes:
        group: the group.
        stage: the field of `GroupCounts` that counts it.
        tuning_left: how many tuning trials have not ended.
        finals_left: how many final trials have not ended.
        unmeasured: how many final trials wait to be measured, or are.
    """

    group: Group
    stage: str
    tuning_left: int
    finals_left: int
    unmeasured: int


def status_of(
    state: GroupState, ended: Collection[str], unmeasured: Collection[str], in_flight: Collection[str]
) -> GroupStatus:
    """Return where a group stands.

    Args:
        state: the group.
        ended: the ids of all trials that have ended.
        unmeasured: of those that wait to be measured, or are.
        in_flight: of those that are handed out.
    """
    tune, tuning = state.group.tune, state.tuning_trials()
    tuned = sum(trial_id in ended for trial_id in tuning)
    tuning_left = max(0, tune.most - tuned) if tune else 0
    # Asked for only once that reads nothing that has not been read; empty if the search found nothing.
    finals = (state.final_trials() or {}) if not tuning_left else {}
    trained = sum(trial_id in ended for trial_id in finals)
    finals_left = state.group.final_count - trained if finals or tuning_left else 0
    waiting = sum(trial_id in unmeasured for trial_id in finals)
    if tuning_left or finals_left:
        has_begun = tuned or trained or any(trial_id in in_flight for trial_id in (*tuning, *finals))
        stage = "waiting" if not has_begun else "tuning" if tuning_left else "training"
    else:
        stage = "measuring" if waiting else "done"
    return GroupStatus(state.group, stage, tuning_left, finals_left, waiting)


def count_groups(statuses: Iterable[GroupStatus]) -> GroupCounts:
    """Return how many groups stand where."""
    return GroupCounts(**Counter(status.stage for status in statuses))


def seconds_trained(running: Iterable[RunningTrial], now: float) -> float:
    """Return how long trials that run have been trained so far, as far as they have told."""
    return sum(
        trial.config.epochs * (trial.seconds_per_epoch or 0.0) - (trial.seconds_left(now) or 0.0) for trial in running
    )


def eta(
    statuses: Iterable[GroupStatus],
    durations: Durations,
    speed: float,
    under_way: float,
    measuring_slots: tuple[int, int],
) -> Range | None:
    """Return how long what is left will take, in seconds, from and to; None if it is not known of all that is left.

    Left are so many epochs of each group, of which trials of its kind have needed some share so far (others are pruned,
    or stop early). What is not known of measuring counts as nothing: tiny trials are measured where they are trained.

    Args:
        statuses: the groups.
        durations: how long epochs and measuring have taken.
        speed: seconds of training that all processes together do in a second; 0 while nothing is known of it.
        under_way: seconds of training that are done of trials that have not ended.
        measuring_slots: how many trials are measured at once beside training, and without.
    """
    statuses = list(statuses)
    training = total((durations.epoch(status.group.template), _epochs_left(status, durations)) for status in statuses)
    measuring = total(
        (durations.measuring(status.group.template) or (0.0, 0.0), status.finals_left + status.unmeasured)
        for status in statuses
    )
    if training is None or measuring is None or (any(training) and not speed):
        return None
    beside, alone = measuring_slots
    ends = []
    for train, measure in zip(training, measuring, strict=True):
        seconds = max(0.0, train - under_way) / speed if train else 0.0
        ends.append(seconds + max(0.0, measure - seconds * beside) / alone)
    return ends[0], ends[1]


def _epochs_left(status: GroupStatus, durations: Durations) -> float:
    tune, lengths = status.group.tune, status.group.lengths
    tuning = status.tuning_left * tune.epochs * durations.share_of_epochs("tune") if tune else 0.0
    per_final = max(lengths) / len(lengths)  # a longer trial goes on where the shorter one ended
    return tuning + status.finals_left * per_final * durations.share_of_epochs("final")


class Tracker:
    """Brings the groups, the rate and the time that is left of a sweep's counts up to date.

    Args:
        counts: how the sweep stands.
        schedule: its trials.
        measuring: those that wait to be measured, or are.
        durations: how long they take.
    """

    def __init__(self, counts: Counts, schedule: Schedule, measuring: MeasuringQueue, durations: Durations) -> None:
        self._counts, self._schedule, self._measuring, self._durations = counts, schedule, measuring, durations
        self._ends: deque[float] = deque()
        self._seconds_trained = 0.0
        self._training_since: float | None = None
        self._looked_at = 0.0

    def note_end(self, now: float, seconds: float) -> None:
        """Take note that a trial has ended which was trained for so many seconds."""
        self._ends.append(now)
        self._seconds_trained += seconds

    def look(self, now: float, machine: Machine) -> None:
        """Bring the counts up to date, if some time has passed; `now` is in seconds since 1970."""
        if now - self._looked_at < SECONDS_BETWEEN_LOOKS:
            return
        self._looked_at = now
        counts, schedule, measuring = self._counts, self._schedule, self._measuring
        counts.trials_per_minute = self._rate(now)
        statuses = [
            status_of(state, schedule.ended, measuring.left, schedule.in_flight.keys()) for state in schedule.states
        ]
        counts.groups = count_groups(statuses)
        under_way = seconds_trained(counts.running.values(), now)
        if self._training_since is None and counts.running:
            self._training_since = now
        took = max(1.0, now - self._training_since) if self._training_since is not None else 1.0
        speed = min(machine.slots, (self._seconds_trained + under_way) / took)  # a resumed trial brings earlier seconds
        slots = measuring.beside, max(measuring.beside, machine.measuring_slots)
        counts.seconds_left = eta(statuses, self._durations, speed, under_way, slots)

    def _rate(self, now: float) -> float | None:
        """Return how many trials have ended in the last minute; None if too few have."""
        while self._ends and now - self._ends[0] > SECONDS_OF_RATE:
            self._ends.popleft()
        over = min(SECONDS_OF_RATE, max(now - self._counts.began, 1.0))
        return 60 * len(self._ends) / over if len(self._ends) >= TRIALS_OF_RATE else None
