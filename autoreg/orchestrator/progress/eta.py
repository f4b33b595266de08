"""What is left of a sweep: how its groups stand, how fast trials end, and how long the rest will take."""

import math
import time
from collections import deque
from collections.abc import Callable, Collection

from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.group_state import GroupState
from autoreg.orchestrator.progress.counts import Counts, GroupCounts
from autoreg.orchestrator.schedule import Schedule
from autoreg.runs.records import TrialResult

SECONDS_BETWEEN_LOOKS = 2.0
#: Over how long a time it is counted how fast trials end, and how many must have ended for that to mean something.
SECONDS_OF_RATE, TRIALS_OF_RATE = 60.0, 3
#: Between these powers of the width the time of a trial grows.
LEAST_GROWTH, MOST_GROWTH = 0.0, 2.0

Range = tuple[float, float]


class Costs:
    """Seconds by kind of work and width, as far as they are known: from and to where they are not."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, ...], dict[float, tuple[float, int]]] = {}

    def note(self, kind: tuple[str, ...], width: float, seconds: float) -> None:
        """Learn what a unit of work took."""
        by_width = self._seen.setdefault(kind, {})
        total, count = by_width.get(width, (0.0, 0))
        by_width[width] = total + seconds, count + 1

    def of(self, kind: tuple[str, ...], width: float) -> Range | None:
        """Return what a unit of work takes at a width, from and to; None if nothing like it was seen.

        At a width that was seen it is the mean of what was; else it lies where the nearest width and bounds of growth
        with the width put it.
        """
        by_width = self._seen.get(kind)
        if not by_width:
            return None
        near = min(by_width, key=lambda seen: abs(math.log(seen / width)))
        total, count = by_width[near]
        ends = [total / count * (width / near) ** growth for growth in (LEAST_GROWTH, MOST_GROWTH)]
        return min(ends), max(ends)


class Outlook:
    """Brings the groups, the rate and the time that is left of a sweep's counts up to date.

    Left are so many epochs of each group, of which trials of its kind have needed some share so far (others are pruned,
    or stop early). They are done by as many processes as have trained at a time on the average, which spend a part of
    their time on other things than epochs, as those that have ended did.

    Args:
        schedule: the groups.
        counts: of the sweep.
        ended: the trials that have ended, by id.
        unmeasured: tells which trials wait to be measured or are.
        slots: tells how many trials are measured at once beside training, and without.
    """

    def __init__(
        self,
        schedule: Schedule,
        counts: Counts,
        ended: Collection[str],
        unmeasured: Callable[[], set[str]],
        slots: Callable[[], tuple[int, int]],
    ) -> None:
        self._schedule, self._counts, self._ended = schedule, counts, ended
        self._unmeasured, self._slots = unmeasured, slots
        self._costs = Costs()
        self._epochs: dict[str, tuple[int, int]] = {}
        self._busy = self._useful = self._occupied = self._watched = 0.0
        self._ends: deque[float] = deque()
        self._looked_at, self._integrated_at = -math.inf, time.monotonic()

    def note(self, config: TrialConfig, result: TrialResult, *, now: bool = True) -> None:
        """Learn from a trial that has ended.

        Args:
            config: the trial.
            result: how it ended.
            now: whether it was trained in this run.
        """
        if result.epochs_run:
            self._costs.note(_training(config), config.width, result.seconds / result.epochs_run)
            run, planned = self._epochs.get(config.kind, (0, 0))
            self._epochs[config.kind] = run + result.epochs_run, planned + config.epochs
        if now:
            self._ends.append(time.monotonic())
            self._useful += result.seconds

    def note_epoch(self, config: TrialConfig, seconds: float) -> None:
        """Learn from an epoch of a trial that still runs."""
        self._costs.note(_training(config), config.width, seconds)

    def note_work(self, seconds: float) -> None:
        """Learn how long a process took for a pack of trials, with all that it did beside training them."""
        self._occupied += seconds

    def note_measured(self, config: TrialConfig, seconds: float) -> None:
        """Learn how long the measuring of a trial took."""
        self._costs.note(_measuring(config), config.width, seconds)

    def look(self) -> None:
        """Bring the counts up to date, if some time has passed."""
        now = time.monotonic()
        self._busy += len(self._counts.running) * (now - self._integrated_at)
        self._watched += (now - self._integrated_at) if self._counts.running else 0.0
        self._integrated_at = now
        if now - self._looked_at < SECONDS_BETWEEN_LOOKS:
            return
        self._looked_at = now
        while self._ends and now - self._ends[0] > SECONDS_OF_RATE:
            self._ends.popleft()
        over = min(SECONDS_OF_RATE, max(time.time() - self._counts.began, 1.0))
        enough = len(self._ends) >= TRIALS_OF_RATE
        self._counts.trials_per_minute = 60 * len(self._ends) / over if enough else None
        self._look_at_groups()

    def _look_at_groups(self) -> None:
        unmeasured, groups = self._unmeasured(), GroupCounts()
        training: Range | None = (0.0, 0.0)
        measuring: Range | None = (0.0, 0.0)
        for state in self._schedule.states:
            stand = Stand(state, self._ended, unmeasured, self._schedule.in_flight)
            setattr(groups, stand.name, getattr(groups, stand.name) + 1)
            template = state.group.template
            if epochs := self._epochs_left(state, stand):
                training = _sum(training, self._costs.of(_training(template), template.width), epochs)
            if left := stand.finals_left + stand.unmeasured:
                # Tiny trials are measured where they are trained, and what is not known counts as nothing.
                cost = self._costs.of(_measuring(template), template.width) or (0.0, 0.0)
                measuring = _sum(measuring, cost, left)
        self._counts.groups = groups
        self._counts.seconds_left = self._time(training, measuring)

    def _epochs_left(self, state: GroupState, stand: "Stand") -> float:
        tune, lengths = state.group.tune, state.group.lengths
        tuning = stand.tuning_left * tune.epochs * self._share("tune") if tune else 0.0
        per_final = max(lengths) / len(lengths)  # a longer trial goes on where the shorter one ended
        return tuning + stand.finals_left * per_final * self._share("final")

    def _share(self, kind: str) -> float:
        run, planned = self._epochs.get(kind, (0, 0))
        return run / planned if planned else 1.0

    def _time(self, training: Range | None, measuring: Range | None) -> Range | None:
        """Return how long work of so many seconds takes."""
        if training is None or measuring is None:
            return None
        beside, alone = self._slots()
        if any(training):
            if not self._busy:
                return None
            at_once = max(1.0, self._busy / self._watched)
            share = min(1.0, self._useful / self._occupied) if self._occupied and self._useful else 1.0
            under_way = sum(trial.epoch * (trial.seconds_per_epoch or 0.0) for trial in self._counts.running.values())
            least, most = (max(0.0, seconds - under_way) / at_once / share for seconds in training)
            training = least, most
        least, most = (
            train + max(0.0, work - train * beside) / alone for train, work in zip(training, measuring, strict=True)
        )
        return least, most


class Stand:
    """Where a group stands: the name of its count, and what is left of it."""

    def __init__(
        self, state: GroupState, ended: Collection[str], unmeasured: Collection[str], in_flight: Collection[str]
    ) -> None:
        tune, group = state.group.tune, state.group
        tuned = sum(trial_id in ended for trial_id in state.tuning_trials())
        self.tuning_left = max(0, tune.trials - tuned) if tune else 0
        # Asked for only once that reads nothing that has not been read.
        finals = (state.final_trials() or {}) if not self.tuning_left else {}
        trained = sum(trial_id in ended for trial_id in finals)
        self.unmeasured = sum(trial_id in unmeasured for trial_id in finals)
        in_vain = not self.tuning_left and not finals
        self.finals_left = 0 if in_vain else group.final_count - trained
        begun = tuned or trained or any(trial_id in in_flight for trial_id in (*state.tuning_trials(), *finals))
        if self.tuning_left:
            self.name = "tuning" if begun else "waiting"
        elif self.finals_left:
            self.name = "training" if begun else "waiting"
        else:
            self.name = "measuring" if self.unmeasured else "done"


def _training(config: TrialConfig) -> tuple[str, ...]:
    return "train", str(config.network), str(config.dataset), str(config.augmentation)


def _measuring(config: TrialConfig) -> tuple[str, ...]:
    return "measure", str(config.network), str(config.dataset)


def _sum(total: Range | None, each: Range | None, count: float) -> Range | None:
    """Return a total with so many more, or None if it is not known of all."""
    return None if total is None or each is None else (total[0] + count * each[0], total[1] + count * each[1])
