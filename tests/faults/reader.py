"""Somebody who reads results.db from another process, while a sweep writes it.

`python -m tests.faults.reader DATABASE SECONDS` opens, counts and closes about every 10 ms until stdin is closed. With
SECONDS it keeps the first connection open for so long, as a shell that somebody forgot, and ends. It says `ready` once
it has read, and in the end what it found, in JSON.
"""

import json
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

SECONDS_BETWEEN_LOOKS = 0.01


@dataclass
class Reader:
    """A reader's process, and once it has ended, how many opens there were, how many failed, and when it let go."""

    process: subprocess.Popen[str]
    opens: int = 0
    failed: int = 0
    let_go_at: float = 0.0

    def wait_until_it_has_read(self) -> None:
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"

    def end(self) -> None:
        found = json.loads(self.process.communicate()[0].splitlines()[-1])
        self.opens, self.failed, self.let_go_at = found["opens"], found["failed"], found["let_go_at"]


@contextmanager
def reading(database: Path, seconds_held: float = 0.0) -> Iterator[Reader]:
    """Have somebody read a database, from when it is there to the end of the context."""
    words = [sys.executable, "-m", "tests.faults.reader", str(database), str(seconds_held)]
    reader = Reader(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    try:
        yield reader
    finally:
        reader.end()


def opened(database: Path) -> duckdb.DuckDBPyConnection | None:
    """Return a connection that has read, or None while the sweep writes."""
    try:
        connection = duckdb.connect(str(database), read_only=True)
        connection.execute("select count(*) from trials").fetchall()
    except duckdb.Error:
        return None
    return connection


def main() -> None:
    database, seconds_held = Path(sys.argv[1]), float(sys.argv[2])
    opens = failed = 0
    is_over = False
    while not is_over:
        is_over = bool(select.select([sys.stdin], [], [], SECONDS_BETWEEN_LOOKS)[0])
        if not database.is_file():
            continue
        opens += 1
        connection = opened(database)
        if connection is None:
            failed += 1
            continue
        if opens - failed == 1:
            print("ready", flush=True)
        time.sleep(seconds_held)
        connection.close()
        is_over = is_over or seconds_held > 0
    print(json.dumps({"opens": opens, "failed": failed, "let_go_at": time.time()}), flush=True)


if __name__ == "__main__":
    main()
