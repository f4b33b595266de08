"""What runs right now, for other terminals: a file in a sweep's scratch folder, true while its driver lives."""

import os
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from autoreg.files import hold, is_held
from autoreg.orchestrator.progress.counts import Counts
from autoreg.runs.folder import Runs

SECONDS_BETWEEN_WRITES = 2.0
STATE, LOCK = "now.json", "driver.lock"


@dataclass
class LiveState:
    """A sweep that runs.

    Attributes:
        sweep_id: of its definition.
        name: the sweep's.
        process: the driver's id.
        updated_at: when this was written, in seconds since 1970.
        counts: how it stands.
    """

    sweep_id: str
    name: str
    process: int
    updated_at: float
    counts: Counts


#: How it stands in the file.
LIVE_STATE = TypeAdapter(LiveState)


class LiveStateFile:
    """Written by the driver every two seconds. Who is killed holds no lock, without which the file counts for nothing.

    Args:
        scratch: the sweep's scratch folder, which is there.
        sweep_id: of its definition.
        name: the sweep's.
        counts: how it stands, also later on.
    """

    def __init__(self, scratch: Path, sweep_id: str, name: str, counts: Counts) -> None:
        self._path, self._lock = scratch / STATE, scratch / LOCK
        self._state = LiveState(sweep_id, name, os.getpid(), 0.0, counts)
        self._written_at = 0.0

    def kept(self) -> AbstractContextManager[object]:
        """Let others know that the driver lives."""
        return hold(self._lock)

    def update(self) -> None:
        """Write it if it is time to. A disk that does not take it has others know less."""
        if time.monotonic() - self._written_at < SECONDS_BETWEEN_WRITES:
            return
        self._written_at, self._state.updated_at = time.monotonic(), time.time()
        half = self._path.with_name(f".{STATE}.tmp")
        with suppress(OSError):  # without a sync: it is of no use after a crash
            half.write_bytes(LIVE_STATE.dump_json(self._state))
            half.replace(self._path)


def running_sweeps(runs: Runs) -> list[LiveState]:
    """Return the sweeps that run on a run folder, the latest first."""
    states = []
    for path in runs.scratch.glob(f"*/{STATE}"):
        with suppress(OSError, ValidationError):  # it has just ended, is another version's, or a stranger's
            if is_held(path.with_name(LOCK)):
                states.append(LIVE_STATE.validate_json(path.read_bytes()))
    return sorted(states, key=lambda state: -state.counts.began)
