"""At which moment a sweep stands, seen from outside in its run folder, and a way to wait for one."""

import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.helpers.sweep_process import results

SECONDS_BETWEEN_LOOKS = 0.002
#: How long a sweep may take to start Ray and the first trial.
SECONDS_TO_START = 60.0
#: The latest of the times that are drawn without looking.
LATEST_CLOCK = 14.0


class Moments:
    """Looks at the folder of one sweep of `final` final trials, each with `measurements` files in the end."""

    def __init__(self, folder: Path, final: int, measurements: int) -> None:
        self.folder, self.final, self.measurements = folder, final, measurements
        self._before: set[Path] = set()

    def start(self) -> None:
        """Take what is there now for what was there before; trials in the middle are those that start from now on."""
        self._before = set(self._configs())

    def now(self) -> str:
        """Return the moment, the rarest of those that apply."""
        if (self.folder / "results.db.wal").exists():
            return "committing"
        begun = [path.parent for path in self._configs() if not (path.parent / "result.json").exists()]
        if any((trial / "checkpoint.pt").exists() for trial in begun):
            return "between checkpoint and result"
        finished = [path.parent for path in results(self.folder) if (path.parent / "checkpoint.pt").exists()]
        measured = [len(list((trial / "measurements").glob("[!.]*.parquet"))) for trial in finished]
        if not begun and len(finished) == self.final and measured == [self.measurements] * self.final:
            return "after"
        if not self._has_begun():
            return "starting"
        if any(0 < count < self.measurements for count in measured) or (not begun and finished):
            return "measuring"
        if any('"kind":"tune"' in (trial / "config.json").read_text() for trial in begun):
            return "tuning"
        return "training" if begun else "between trials"

    def _has_begun(self) -> bool:
        return bool(set(self._configs()) - self._before)

    def _configs(self) -> list[Path]:
        return list((self.folder / "runs").glob("*-r*/config.json"))

    def wait(self, aim: str, process: subprocess.Popen[bytes], chance: random.Random) -> None:
        """Wait for a moment, or for the end of the process, which may come first.

        Args:
            aim: `clock` for a random time from the start, `begun` for a random time after a trial has begun, or a
                moment's name for the first time that it is seen.
            process: the sweep.
            chance: where the random times come from.
        """
        if aim == "clock":
            self._until(lambda: False, process, chance.uniform(0.3, LATEST_CLOCK))
            return
        self._until(self._has_begun if aim == "begun" else lambda: self.now() == aim, process, SECONDS_TO_START)
        if aim == "begun":
            self._until(lambda: False, process, chance.expovariate(1.0))

    def _until(self, reached: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and process.poll() is None and not reached():
            time.sleep(SECONDS_BETWEEN_LOOKS)
