"""A sweep in a process of its own, started as a user starts it, and what of it can be seen from outside."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoreg.database.connection import query, reading

#: The program whose sweeps run in forks, where Ray is not what a test is about.
IN_FORKS = "tests.helpers.in_forks"
#: Set for a sweep's process, and inherited by every process that Ray starts for it.
MARK = "AUTOREG_TEST_MARK"
#: How long a process of a killed sweep may live.
SECONDS_TO_DIE = 3.0


def settings(*overrides: str) -> list[str]:
    """Arguments that set keys of a sweep."""
    return [word for override in overrides for word in ("--set", override)]


def command(file: Path, folder: Path, *arguments: str, program: str = "autoreg") -> list[str]:
    own = ["--runs", str(folder / "runs"), "--db", str(folder / "results.db")]
    return [sys.executable, "-m", program, "sweep", str(file), *own, *arguments]


def start(
    file: Path, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a sweep whose run folder, database and log lie in the folder."""
    folder.mkdir(exist_ok=True)
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            command(file, folder, *arguments),
            stdout=subprocess.DEVNULL,
            stderr=log,
            env={**os.environ, **(environment or {})},
            start_new_session=True,  # by which its processes are found again
        )


def wait_for_trials(folder: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while len(results(folder)) < count:
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def results(folder: Path) -> list[Path]:
    return list((folder / "runs").glob("*-r*/result.json"))


def finished_files(folder: Path) -> dict[Path, tuple[int, int, bytes]]:
    """Return every file that says that something is done, with all that would change if it were done again."""
    found = {}
    for pattern in ("*-r*/result.json", "*-r*/checkpoint.pt", "*-r*/measurements/[!.]*.parquet"):
        for path in (folder / "runs").glob(pattern):
            if (path.parent / "result.json").exists() or path.suffix == ".parquet":
                status = path.stat()
                found[path] = (status.st_ino, status.st_mtime_ns, path.read_bytes())
    return found


def living(driver: subprocess.Popen[bytes], mark: str) -> dict[int, str]:
    """Return every living process of a sweep, Ray's own among them, by the driver's session or by the mark.

    Neither alone finds all: a process may begin a session of its own, and Ray's agents write over their environment.
    """
    alive = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            environment = (entry / "environ").read_bytes().split(b"\0")
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has ended meanwhile
            continue
        if state != "Z" and (int(session) == driver.pid or f"{MARK}={mark}".encode() in environment):
            alive[int(entry.name)] = words.strip()[:100]
    return alive


def alive_after(driver: subprocess.Popen[bytes], mark: str, seconds: float = SECONDS_TO_DIE) -> dict[int, str]:
    """Wait until no process of a killed sweep is left, and return those that are after the given time."""
    deadline = time.monotonic() + seconds
    while (alive := living(driver, mark)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return alive


def rows_without_times(path: Path) -> dict[str, list[Any]]:
    """All rows, less what a clock wrote."""
    with reading(path) as connection:
        rows = {
            "trials": "select * exclude (seconds, finished_at, environment) from trials order by all",
            "epochs": "select * exclude (seconds) from epochs order by all",
            "layers": "select * from layers order by all",
            "ablation": "select * from ablation order by all",
            "units": "select * from units order by all",
            "correlations": "select * from correlations order by all",
            "measurements": "select * from measurements order by all",
            "sweep_trials": "select * from sweep_trials order by all",
        }
        return {name: query(connection, sql).rows() for name, sql in rows.items()}


def trained_in(log: str) -> list[str]:
    """Return what the driver's log calls each trial that it trained, one item for each time that it did."""
    return re.findall(r"\] (\w+ .*): (?:[\d.]+%, )?\d+ epochs?, ", log)
