"""How fast a sweep goes."""

from collections import deque

from autoreg.orchestrator.progress.counts import Counts

SECONDS_BETWEEN_LOOKS = 2.0
#: Over how long a time it is counted how fast trials end, and how many must have ended for that to mean something.
SECONDS_OF_RATE, TRIALS_OF_RATE = 60.0, 3


class Tracker:
    """Brings the rate of a sweep's counts up to date."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._ends: deque[float] = deque()
        self._looked_at = 0.0

    def note_end(self, now: float) -> None:
        """Take note that a trial has ended."""
        self._ends.append(now)

    def is_due(self, now: float) -> bool:
        """Bring the rate up to date if some time has passed, and return whether it has."""
        if now - self._looked_at < SECONDS_BETWEEN_LOOKS:
            return False
        self._looked_at = now
        while self._ends and now - self._ends[0] > SECONDS_OF_RATE:
            self._ends.popleft()
        over = min(SECONDS_OF_RATE, max(now - self._counts.began, 1.0))
        enough = len(self._ends) >= TRIALS_OF_RATE
        self._counts.trials_per_minute = 60 * len(self._ends) / over if enough else None
        return True
