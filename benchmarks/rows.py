"""A row of the table that `make bench` prints: what was timed, against what, and whether it reaches what it should."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        what: what was done.
        against: by which alternative; empty if there is none.
        ours: what ours took, with its unit.
        other: what the alternative took, or empty.
        ratio: how many times faster ours is, with the range over the repetitions, or empty.
        reach: what it should reach.
        reached: whether it does; None if this machine cannot tell.
        limit: what bounds it: the floor, and how close ours comes.
    """

    what: str
    against: str
    ours: str
    other: str
    ratio: str
    reach: str
    reached: bool | None
    limit: str = ""

    def emit(self) -> None:
        """Print the row as a line of JSON, for `python -m benchmarks`."""
        print(json.dumps(asdict(self), ensure_ascii=False), flush=True)


@dataclass(frozen=True)
class Times:
    """Seconds of repetitions in the order in which they were run."""

    seconds: list[float]

    @property
    def typical(self) -> float:
        """The median."""
        return median(self.seconds)

    def __str__(self) -> str:
        """Return median and range."""
        if len(self.seconds) == 1:
            return f"{self.typical:.3g} s"
        return f"{self.typical:.3g} s ({min(self.seconds):.3g}–{max(self.seconds):.3g})"


def seconds_of(action: Callable[[], object]) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def alternate(repetitions: int, *actions: Callable[[], object]) -> list[Times]:
    """Time several actions in turn, so that what else the machine does is shared by all."""
    rounds = [[seconds_of(action) for action in actions] for _ in range(repetitions)]
    return [Times(list(column)) for column in zip(*rounds, strict=True)]


def ratio(ours: Times, other: Times) -> tuple[float, str]:
    """Return how many times faster ours is: the ratio of the medians, and as a text with the range over the rounds."""
    typical = other.typical / ours.typical
    rounds = [b / a for a, b in zip(ours.seconds, other.seconds, strict=True)]
    spread = f" ({min(rounds):.2g}–{max(rounds):.2g})" if len(rounds) > 1 else ""
    return typical, f"{typical:.3g}×{spread}"
