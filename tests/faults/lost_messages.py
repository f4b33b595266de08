"""Tiny sweeps while Ray loses messages between its processes.

`python -m tests.faults.lost_messages FILE PERCENT COUNT` runs so many, and adds a line of JSON to the file for each;
those that the file has already are not run again, so that an interrupted call goes on. The folder of a sweep that did
not end as promised stays, as `lost-PERCENT-NUMBER-…` among the temporary files.
"""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from tests.helpers.forked import run_file
from tests.helpers.small_sweep import write_sweep
from tests.helpers.sweep_process import MARK, finished_files, living, rows_without_times, start, trained_in

#: What Ray calls the share of requests, of replies, and of replies to requests that were carried out.
SHARES = ("req_failure_prob", "resp_failure_prob", "in_flight_failure_prob")
#: Nothing may be heard of a sweep for longer, but for the time that its ending takes.
SECONDS_OF_SILENCE, SECONDS_TO_END = 60.0, 15.0
SECONDS_TO_STOP = 10.0
#: Every so many sweeps one is stopped by a single Ctrl-C.
ONE_IS_STOPPED = 4
EPOCHS = 150

Rows = dict[str, list[Any]]


@dataclass(frozen=True)
class Outcome:
    """How a sweep ended.

    Attributes:
        percent: of messages that were lost.
        number: of the sweep.
        ending: `all rows`, `a sentence`, `stopped`, `hung`, or another exit code without a sentence.
        silence: the longest time in which nothing was heard of it, in seconds.
        to_stop: how long it took to end after Ctrl-C, in seconds; None if it was not stopped.
        restarts: how often Ray was started again.
        twice: trials that were trained twice.
        is_equal: whether the rows are those of an undisturbed sweep, after a rerun without losses if it was not done.
    """

    percent: int
    number: int
    ending: str
    silence: float
    to_stop: float | None
    restarts: int
    twice: int
    is_equal: bool

    @property
    def is_as_promised(self) -> bool:
        """Whether nothing was lost, nothing done twice, and nothing hung."""
        is_said = self.ending in ("all rows", "a sentence", "stopped")
        return is_said and self.is_equal and not self.twice and (self.to_stop or 0) <= SECONDS_TO_STOP


def losing(percent: int) -> dict[str, str]:
    """Return an environment in which Ray loses that share of its messages of each kind."""
    return {"RAY_testing_rpc_failure": json.dumps({"*": {"num_failures": -1, **dict.fromkeys(SHARES, percent)}})}


def run_losing(percent: int, number: int, folder: Path, straight: Rows) -> Outcome:
    """Run one sweep, and then again what it left; `straight` are the rows of an undisturbed one."""
    file = write_sweep(folder / "lossy.yaml", epochs=EPOCHS)
    process = start(file, folder, "-v", environment={MARK: str(folder), **losing(percent)})
    chance = random.Random(number)
    stop_after = chance.uniform(5, 30) if number % ONE_IS_STOPPED == 0 else None
    silence, to_stop = wait(process, folder, stop_after)
    is_hung = process.poll() is None
    process.kill()
    process.wait()
    while living(process, str(folder)):
        time.sleep(0.1)
    log = (folder / "log").read_text()
    ending = {0: "all rows", 130: "stopped"}.get(process.returncode, f"code {process.returncode}")
    if "rerun the same command to resume" in log:
        ending = "a sentence"
    before = finished_files(folder)
    again = run_file(file, folder)
    now = finished_files(folder)
    is_kept = {path: now.get(path) for path in before} == before
    names = trained_in(log)
    return Outcome(
        percent, number, "hung" if is_hung else ending, round(silence, 1), to_stop and round(to_stop, 1),
        log.count("Ray is started again"), len(names) - len(set(names)),
        is_kept and rows_without_times(folder / "results.db") == straight and not again.problems,
    )  # fmt: skip


def wait(process: "subprocess.Popen[bytes]", folder: Path, stop_after: float | None) -> tuple[float, float | None]:
    """Wait until a sweep ends, or must have ended; return its longest silence, and how long a stop took."""
    began, heard = None, time.monotonic()
    known, silence, stopped = None, 0.0, None
    while process.poll() is None:
        time.sleep(0.1)
        now = time.monotonic()
        began = began or (now if (folder / "log").stat().st_size else None)
        if stop_after is not None and stopped is None and began and now - began > stop_after:
            process.send_signal(signal.SIGINT)
            stopped = now
        found = (folder / "log").stat().st_size, len(finished_files(folder))
        known, heard = found, heard if found == known else now
        silence = max(silence, now - heard)
        limit = SECONDS_OF_SILENCE + SECONDS_TO_END
        if silence > limit or (stopped is not None and now - stopped > limit):
            break
    return silence, None if stopped is None else time.monotonic() - stopped


def undisturbed() -> Rows:
    """Return the rows of the sweep when no message is lost."""
    with TemporaryDirectory(prefix="straight-") as folder:
        summary = run_file(write_sweep(Path(folder, "lossy.yaml"), epochs=EPOCHS), Path(folder))
        assert not summary.problems
        return rows_without_times(Path(folder, "results.db"))


def run_all(percent: int, count: int, done: Path) -> list[Outcome]:
    """Run so many sweeps, but for those that the file has; return how each ended."""
    lines = done.read_text().splitlines() if done.exists() else []
    outcomes = [outcome for outcome in (Outcome(**json.loads(line)) for line in lines) if outcome.percent == percent]
    left = sorted(set(range(count)) - {outcome.number for outcome in outcomes})
    straight = undisturbed() if left else {}
    for number in left:
        folder = Path(mkdtemp(prefix=f"lost-{percent}-{number}-"))
        outcomes.append(run_losing(percent, number, folder, straight))
        with done.open("a") as file:
            file.write(json.dumps(asdict(outcomes[-1])) + "\n")
        if outcomes[-1].is_as_promised:
            shutil.rmtree(folder)
    return outcomes


if __name__ == "__main__":
    for each in run_all(int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[1])):
        print("" if each.is_as_promised else "NOT AS PROMISED", each)
