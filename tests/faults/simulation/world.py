"""The made-up machine: a clock, processes, locks of trials, a disk that may be full, messages that may get lost."""

import errno
import math
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

#: What a process does: it yields the seconds that pass, and returns at its end.
Work = Iterator[float]


class DriverKilled(BaseException):
    """The driver's process is killed."""


class Died(Exception):
    """A process ends before its end; the text is what Ray says of it."""


@dataclass
class Rates:
    """How likely each thing is to go wrong, each time that it can."""

    training: float = 0.0
    measuring: float = 0.0
    message: float = 0.0
    second_sweep: float = 0.0


@dataclass(eq=False)
class Process:
    """A process that trains or measures.

    Attributes:
        name: what it does.
        work: the rest of what it does.
        at_end: is told how it ended: None, or what Ray says of its death.
        is_hung: whether it will never end by itself.
    """

    name: str
    work: Work = field(default_factory=lambda: iter(()))
    at_end: Callable[[str | None], object] = lambda _: None
    is_alive: bool = True
    is_hung: bool = False


class World:
    """All but the sweep.

    Args:
        seed: all chance follows from it.
    """

    def __init__(self, seed: int) -> None:
        self.rng, self.now, self.rates = Random(seed), 1e9, Rates()
        self.log: list[str] = []
        self.processes: list[Process] = []
        self.is_disk_full = False
        self.kill_driver_at_write = 0
        self.writes_of_driver = 0
        self.inside: Process | None = None
        #: How often each trial was trained to its end, and was found damaged since.
        self.trained, self.discarded = Counter[str](), Counter[str]()
        #: How often each trial was begun for a run of a sweep, by its folder.
        self.tries = Counter[tuple[str, Path]]()
        #: What went wrong that may make a trial a failed one.
        self.blows = 0
        #: How many processes have stood still in this run.
        self.hangs = 0
        #: When Ctrl-C was pressed in this run.
        self.asked_to_stop_at: float | None = None
        self._locks: dict[str, Process] = {}
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count()

    def say(self, text: str) -> None:
        self.log.append(f"{self.now - 1e9:8.2f}  {text}")

    def strikes(self, rate: float) -> bool:
        return self.rng.random() < rate

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Have something happen in so many seconds."""
        heappush(self._events, (self.now + seconds, next(self._numbers), action))

    @property
    def seconds_to_next(self) -> float:
        """How long nothing will happen."""
        return self._events[0][0] - self.now if self._events else math.inf

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + seconds
        while self._events and self._events[0][0] <= until:
            self.now, _, action = heappop(self._events)
            action()
        self.now = until

    def forget(self) -> None:
        """Let nothing come any more but what processes do that live on."""
        self._events = []
        for process in self.processes:
            self.after(self.rng.random(), lambda process=process: self._go_on(process))

    def start(self, name: str, work: Callable[[Process], Work], at_end: Callable[[str | None], object]) -> Process:
        process = Process(name, at_end=at_end)
        process.work = work(process)
        self.processes.append(process)
        self.after(self.rng.uniform(0.01, 1.0), lambda: self._go_on(process))
        return process

    def _go_on(self, process: Process) -> None:
        if not process.is_alive:
            return
        self.inside, before = process, self.inside
        try:
            seconds = next(process.work)
        except StopIteration:
            self.end(process, None)
        except Died as error:
            self.end(process, str(error))
        else:
            self.after(seconds, lambda: self._go_on(process))
        finally:
            self.inside = before

    def end(self, process: Process, text: str | None) -> None:
        """End a process, which lets go of its locks as the system sees to it."""
        if process.is_alive:
            process.is_alive = False
            self.processes.remove(process)
            self._locks = {trial_id: holder for trial_id, holder in self._locks.items() if holder is not process}
            self.say(f"{process.name}: {'ended' if text is None else f'died: {text}'}")
            process.at_end(text)

    def hold(self, process: Process, trial_id: str, give_up: Callable[[], bool]) -> Iterator[float]:
        """Wait for a trial's lock; whether it is held is `holds`."""
        while self._locks.get(trial_id, process) is not process and not give_up():
            yield 0.5
        self._locks.setdefault(trial_id, process)

    def holds(self, process: Process, trial_id: str) -> bool:
        return self._locks.get(trial_id) is process

    def let_go(self, trial_id: str) -> None:
        del self._locks[trial_id]

    def write(self, path: Path, write: Callable[[Path], Any]) -> None:
        """Write a file in place of `write_atomically`: without syncing, and as the disk and the driver's killer let."""
        if self.inside is None:
            self.writes_of_driver += 1
            if self.writes_of_driver == self.kill_driver_at_write:
                raise DriverKilled
        if self.is_disk_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        write(temporary)
        temporary.replace(path)
