"""What is timed when time is short."""

from collections.abc import Callable
from dataclasses import dataclass

from autoreg.orchestrator.forecast.budget import Task, run_tasks


@dataclass(frozen=True)
class Cost:
    floor: float


class Day:
    """A clock that goes on as tasks run."""

    def __init__(self) -> None:
        self.time, self.order = 0.0, list[str]()

    def task(self, family: str, name: str, flops: float, seconds: float) -> Task[Cost]:
        return Task(family, name, flops, self._run(f"{family}{name}", seconds))

    def _run(self, name: str, seconds: float) -> Callable[[float], Cost]:
        def run(limit: float) -> Cost:
            self.time += seconds
            self.order.append(name)
            return Cost(seconds)

        return run


def test_the_smallest_of_each_family_comes_first_then_the_largest() -> None:
    day = Day()
    tasks = [day.task(family, str(flops), flops * 1e9, flops) for family in "ab" for flops in (4, 1, 2)]
    done, failed = run_tasks(tasks, 100, lambda: day.time)
    assert failed == {}
    assert day.order == ["a1", "b1", "a4", "b4", "a2", "b2"]
    assert done["a", "4"].floor == 4


def test_what_does_not_fit_is_left_out_but_for_the_smallest() -> None:
    day = Day()
    run_tasks([day.task("a", str(flops), flops * 1e9, flops) for flops in (1, 2, 4, 8)], 6, lambda: day.time)
    assert day.order == ["a1", "a4"], "8 does not fit, and after 4 nothing does"
    day = Day()
    run_tasks([day.task("a", str(flops), flops, 1) for flops in (1, 2, 4, 8)], 6, lambda: day.time)
    assert day.order == ["a1", "a8", "a4", "a2"], "so few FLOPs take no time"
    day = Day()
    run_tasks([day.task(family, "1", 1, 5) for family in "abc"], 1, lambda: day.time)
    assert day.order == ["a1", "b1", "c1"]


def test_what_goes_wrong_keeps_nothing_else_from_being_timed() -> None:
    def fail(limit: float) -> Cost:
        raise RuntimeError("not enough memory")

    day = Day()
    tasks = [Task[Cost]("a", "1", 1, fail), day.task("a", "2", 2, 1), day.task("a", "3", 3, 1)]
    done, failed = run_tasks(tasks, 100, lambda: day.time)
    assert set(done) == {("a", "2"), ("a", "3")}
    assert [str(error) for error in failed.values()] == ["not enough memory"]
