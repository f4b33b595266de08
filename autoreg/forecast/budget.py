"""What is timed when not everything can be: first the smallest of each family, then the largest that fit."""

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Timed(Protocol):
    """What timing something gave."""

    @property
    def floor(self) -> float:
        """The seconds without which it could not have been timed."""


T = TypeVar("T", bound=Timed)

#: One rung of a ladder takes at most about so many seconds; all that is timed of one thing a few times as much.
LONGEST, SHORTEST = 0.3, 0.03


@dataclass(frozen=True)
class Task(Generic[T]):
    """Something that can be timed.

    Attributes:
        family: those of one family cost about as their FLOPs.
        name: tells it from the others of its family.
        flops: of one example.
        run: times it; it is told about how many seconds a rung may take.
    """

    family: Hashable
    name: Hashable
    flops: float
    run: Callable[[float], T]


def run_tasks(
    tasks: Sequence[Task[T]], seconds: float, now: Callable[[], float] = time.monotonic
) -> dict[tuple[Hashable, Hashable], T]:
    """Time what fits into the seconds, the smallest of each family in any case, and return it by family and name."""
    ends = now() + seconds
    done: dict[tuple[Hashable, Hashable], T] = {}
    smallest: dict[Hashable, Task[T]] = {}

    def limit() -> float:
        return min(LONGEST, max(SHORTEST, (ends - now()) / (8 * (len(tasks) - len(done)))))

    for task in sorted(tasks, key=lambda task: task.flops):
        if task.family not in smallest:
            smallest[task.family] = task
            done[task.family, task.name] = task.run(limit())
    for task in sorted(tasks, key=lambda task: -task.flops):
        first = smallest[task.family]
        if task is first:
            continue
        expected = done[first.family, first.name].floor * task.flops / first.flops
        if now() + expected <= ends:
            done[task.family, task.name] = task.run(limit())
    return done
