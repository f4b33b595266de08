"""How long a sweep's trials take together: who starts when another has ended."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

#: Shares of a machine are sums of floats.
SLACK = 1e-9


@dataclass(frozen=True)
class Job:
    """What is left of one group.

    Attributes:
        share: of the machine that one of its trials occupies, in (0, 1].
        tuning: seconds of each tuning trial that is left, in their order.
        at_once: how many of these may run at the same time before the rest, which run one after another.
        finals: chains of final trials, which start when the tuning has ended: seconds of each, in their order.
    """

    share: float
    tuning: Sequence[float] = ()
    at_once: int = 0
    finals: Sequence[Sequence[float]] = ()


def makespan(jobs: Sequence[Job]) -> float:
    """Return the seconds until the last trial has ended, if each starts as soon as it may and there is room.

    Earlier jobs come first, as in `Schedule`; one that finds no room does not keep later ones from starting.
    """
    waiting = [_Waiting(job) for job in jobs]
    running: list[tuple[float, int, _Waiting, int | None]] = []
    now, free, count = 0.0, 1.0, 0
    while True:
        waiting = [one for one in waiting if not one.is_empty]
        for one in waiting:
            if free < SLACK:
                break
            while one.job.share <= free + SLACK and (task := one.next()):
                seconds, chain = task
                count += 1
                heapq.heappush(running, (now + seconds, count, one, chain))
                free -= one.job.share
        if not running:
            return now
        now, _, ended, chain = heapq.heappop(running)
        free += ended.job.share
        ended.end(chain)


@dataclass
class _Waiting:
    """A job on its way."""

    job: Job
    started: int = 0
    in_flight: int = 0
    places: list[int] = field(default_factory=list)
    ready: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.places = [0] * len(self.job.finals)
        self.ready = list(reversed(range(len(self.job.finals))))

    @property
    def is_empty(self) -> bool:
        """Whether it has nothing to start any more, now or later."""
        is_tuned = self.started == len(self.job.tuning)
        return is_tuned and all(place == len(chain) for place, chain in zip(self.places, self.job.finals, strict=True))

    def next(self) -> tuple[float, int | None] | None:
        """Start a trial that can start now: its seconds, and the place of its chain, None for a tuning trial."""
        if self.started < len(self.job.tuning):
            if self.started >= self.job.at_once and self.in_flight:
                return None
            self.started += 1
            self.in_flight += 1
            return self.job.tuning[self.started - 1], None
        if self.in_flight:
            return None
        while self.ready:
            chain = self.ready.pop()
            place = self.places[chain]
            if place < len(self.job.finals[chain]):
                self.places[chain] += 1
                return self.job.finals[chain][place], chain
        return None

    def end(self, chain: int | None) -> None:
        """Note that a trial has ended."""
        if chain is None:
            self.in_flight -= 1
        else:
            self.ready.append(chain)
