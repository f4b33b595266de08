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
#: Any processor does so many FLOPs in a second, and no more passes than that are needed to time something.
FLOPS, EXAMPLES = 1e9, 1000


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
) -> tuple[dict[tuple[Hashable, Hashable], T], dict[tuple[Hashable, Hashable], Exception]]:
    """Time what fits into the seconds, the smallest of each family in any case.

    Returns:
        What was timed, and what went wrong instead, each by family and name.
    """
    ends = now() + seconds
    done: dict[tuple[Hashable, Hashable], T] = {}
    failed: dict[tuple[Hashable, Hashable], Exception] = {}
    smallest: dict[Hashable, Task[T]] = {}

    def limit() -> float:
        return min(LONGEST, max(SHORTEST, (ends - now()) / (8 * (len(tasks) - len(done) - len(failed)))))

    def run(task: Task[T]) -> bool:
        try:
            done[task.family, task.name] = task.run(limit())
        except Exception as error:  # in a user's own network anything may go wrong; and memory may not suffice
            failed[task.family, task.name] = error
            return False
        return True

    for task in sorted(tasks, key=lambda task: task.flops):
        if task.family not in smallest and run(task):
            smallest[task.family] = task
    for task in sorted(tasks, key=lambda task: -task.flops):
        first = smallest.get(task.family)
        if first is None or task is first or (task.family, task.name) in failed:
            continue
        floor = done[first.family, first.name].floor
        expected = min(floor * task.flops / first.flops, floor + task.flops * EXAMPLES / FLOPS)
        if now() + expected <= ends:
            run(task)
    return done, failed
