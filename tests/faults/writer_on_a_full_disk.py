"""Bring a run folder into a database on a disk that is too small, and again once it is larger, in one process.

Arguments: the folder that the disk is mounted on, the run folder. Prints JSON.
"""

import json
import subprocess
import sys
from pathlib import Path

from autoreg.errors import AutoregError, DatabaseError
from autoreg.listing import trial_rows
from autoreg.runs import Runs
from autoreg.writer import Writer


def rows_in(path: Path) -> int:
    try:
        return len(trial_rows(path))
    except AutoregError:
        return 0


if __name__ == "__main__":
    disk, runs = Path(sys.argv[1]), Runs(Path(sys.argv[2]))
    path = disk / "results.db"
    writer = Writer(path, runs)
    for folder in runs.trials():
        writer.queue_trial(folder)
    errors = []
    for _ in range(2):
        try:
            writer.commit()
        except DatabaseError as error:
            errors.append(str(error))
    seen = {"errors": errors, "waiting": writer.pending, "rows_seen": rows_in(path)}
    subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
    assert writer.commit()
    print(json.dumps({**seen, "rows": rows_in(path), "problems": writer.problems}))
