"""How fast a sweep goes, and what follows from that for what is left of it."""

from collections import deque

from autoreg.orchestrator.durations import Durations
from autoreg.orchestrator.measuring_queue import MeasuringQueue
from autoreg.orchestrator.progress.counts import Counts
from autoreg.orchestrator.progress.eta import count_groups, eta, seconds_trained, status_of
from autoreg.orchestrator.schedule import Schedule

SECONDS_BETWEEN_LOOKS = 2.0
#: Over how long a time it is counted how fast trials end, and how many must have ended for that to mean something.
SECONDS_OF_RATE, TRIALS_OF_RATE = 60.0, 3


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

    def note_start(self, now: float) -> None:
        """Take note that a process has begun to train."""
        self._training_since = self._training_since or now

    def note_end(self, now: float, seconds: float) -> None:
        """Take note that a trial has ended which was trained for so many seconds."""
        self._ends.append(now)
        self._seconds_trained += seconds

    def look(self, now: float, measuring_slots: int) -> None:
        """Bring the counts up to date, if some time has passed.

        Args:
            now: the time, in seconds since 1970.
            measuring_slots: how many trials are measured at once when none is trained.
        """
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
        since = self._training_since
        speed = (self._seconds_trained + under_way) / max(1.0, now - since) if since else 0.0
        slots = measuring.beside, max(measuring.beside, measuring_slots)
        counts.seconds_left = eta(statuses, self._durations, speed, under_way, slots)

    def _rate(self, now: float) -> float | None:
        """Return how many trials have ended in the last minute; None if too few have."""
        while self._ends and now - self._ends[0] > SECONDS_OF_RATE:
            self._ends.popleft()
        over = min(SECONDS_OF_RATE, max(now - self._counts.began, 1.0))
        return 60 * len(self._ends) / over if len(self._ends) >= TRIALS_OF_RATE else None
