"""Whether Ray's own processes live, and whether anything goes on in a sweep."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from subprocess import Popen

from autoreg.orchestrator.backend import BackendLost
from autoreg.orchestrator.ray_runtime.reaper import MARK, processes_with
from autoreg.orchestrator.ray_runtime.turn import Turn
from autoreg.orchestrator.runner import SweepRunner

#: How long nothing may be heard of processes none of which works.
SECONDS_OF_SILENCE = 50.0
#: The same while one of Ray's own processes is stopped, as a debugger or a suspended machine does.
SECONDS_OF_A_STALL = 300.0
#: The same once the user wants the sweep to stop.
SECONDS_TO_STOP = 4.0
#: A process that takes less of a core, and waits less for one, does nothing.
SECONDS_BETWEEN_SAMPLES, SHARE_OF_WORK = 10.0, 0.1


class Watch:
    """Looks after a sweep whose Ray was started for it.

    Args:
        processes: of Ray's own, those without which it does not go on; none if it was not started for the sweep.
        runner: the sweep.
        turn: of the thread that runs it.
    """

    def __init__(self, processes: "Mapping[str, Popen[bytes]]", runner: SweepRunner, turn: Turn) -> None:
        self._processes, self._runner, self._turn = processes, runner, turn
        self._looked_at = time.monotonic()
        self._silent, self._is_stalled = 0.0, False
        self._heard = -1
        self._sampled_at, self._sample = self._looked_at, dict[int, float]()

    def look(self) -> None:
        """Raise BackendLost if Ray is gone, or nothing goes on any more."""
        if not self._processes:
            return
        if lost := lost_process(self._processes):
            raise BackendLost(f"Ray's process {lost} has died")
        now = time.monotonic()
        was_stalled, self._is_stalled = self._is_stalled, self._has_stalled()
        # No more than two looks: this process may have been stopped itself. What was stopped may catch up at leisure.
        goes_on = self._goes_on(now) or (was_stalled and not self._is_stalled)
        self._silent = 0.0 if goes_on else self._silent + min(now - self._looked_at, 1.0)
        self._looked_at = now
        if self._runner.stop_requested and self._silent >= SECONDS_TO_STOP:
            raise BackendLost("Ray does not end")
        limit = SECONDS_OF_A_STALL if self._is_stalled else SECONDS_OF_SILENCE
        if self._silent >= limit:
            raise BackendLost(f"for {limit:.0f} s nothing was heard of Ray, and no process of it trained or measured")

    def _has_stalled(self) -> bool:
        return any(state_of(process.pid) == "T" for process in self._processes.values())

    def _goes_on(self, now: float) -> bool:
        before, self._heard = self._heard, self._runner.heard
        if before != self._heard or self._turn.is_ours or is_worked_at(self._runner):
            return True
        if now - self._sampled_at < SECONDS_BETWEEN_SAMPLES:
            return False
        enough = SHARE_OF_WORK * (now - self._sampled_at)
        earlier, self._sample, self._sampled_at = self._sample, seconds_of_workers(), now
        return any(seconds - earlier.get(process, 0.0) > enough for process, seconds in self._sample.items())


def lost_process(processes: "Mapping[str, Popen[bytes]]") -> str | None:
    """Return the name of a process that has ended, or None."""
    return next((name for name, process in processes.items() if process.poll() is not None), None)


def is_worked_at(runner: SweepRunner) -> bool:
    """Whether a process holds a trial of the sweep, and does not wait for the runner to take its report."""
    driver = runner.driver
    held = list(driver.measuring.running)
    for name in driver.running.names:
        if not driver.place.waiting(name).exists():
            held += [config.trial_id for config in driver.running.left(name, driver.schedule)]
    return any(runner.runs.trial(trial_id).is_held for trial_id in held)


def state_of(process: int) -> str:
    """Return the letter of a process's state, as in proc(5); "" where the system does not tell, or it has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def seconds_of_workers() -> dict[int, float]:
    """Return the seconds of a core that each process has taken, or waited for, which Ray started here for trials.

    Ray gives its workers a low priority, so that on a busy machine one that starts may wait for nearly all of the time.
    """
    found, ticks = {}, os.sysconf("SC_CLK_TCK")
    for process in processes_with(os.environ[MARK]):
        folder = Path(f"/proc/{process}")
        try:
            command = (folder / "cmdline").read_bytes()
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            waited = _seconds_waited(folder)
        except OSError:
            continue
        if is_worker(command):
            found[process] = (int(fields[11]) + int(fields[12])) / ticks + waited
    return found


def is_worker(command: bytes) -> bool:
    """Whether a command line, as in proc(5), is that of a process which trains or measures, or may come to do so.

    Ray's agents are called `ray::…` too, and its raylet has a worker's whole command as one of its words.
    """
    first, *words = command.split(b"\0")
    if first.startswith(b"ray::"):
        return not first.endswith(b"Agent")
    return any(word.endswith(b"default_worker.py") for word in words)


def _seconds_waited(folder: Path) -> float:
    """Return how long the main thread of a process stood in line for a core; 0 where the kernel does not count it."""
    counted = folder / "schedstat"
    return int(counted.read_text().split()[1]) / 1e9 if counted.is_file() else 0.0
