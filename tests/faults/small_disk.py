"""Writing and rebuilding results.db on disks that are too small, for a process that may mount: prints what came of it.

python -m tests.faults.small_disk RUNS FOLDER KIBIBYTES…
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from autoreg.database.connection import reading
from autoreg.database.verify import verify
from autoreg.database.writer import Writer, rebuild
from autoreg.errors import DatabaseError
from autoreg.runs.folder import Runs

OLD = b"what was there"


def mounted(disk: Path, size: str, *more: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join([f"size={size}", *more]), "tmpfs", disk], check=True)


def counts(path: Path) -> dict[str, int]:
    with reading(path) as connection:
        tables = connection.execute("select table_name from duckdb_tables() where not temporary").fetchall()
        return {name: connection.execute(f'select count(*) from "{name}"').fetchall()[0][0] for (name,) in tables}


def written(disk: Path, size: str, runs: Runs) -> dict[str, Any]:
    """Write on a small disk, enlarge it, and go on in the same process."""
    mounted(disk, size)
    writer = Writer(disk / "results.db", runs)
    for folder in runs.trials():
        writer.queue_trial(folder)
    said = ""
    try:
        writer.commit()
    except DatabaseError as error:
        said = str(error)
    pending = writer.pending
    mounted(disk, "64m", "remount")
    writer.commit()
    found = {"said": said, "pending": pending, "rows": counts(writer.path), "problems": writer.problems}
    subprocess.run(["umount", disk], check=True)
    return found


def rebuilt(disk: Path, size: str, runs: Runs) -> dict[str, Any]:
    """Rebuild on a small disk: it is all there, or else what was there before still is."""
    mounted(disk, size)
    path, said = disk / "results.db", ""
    path.write_bytes(OLD)
    try:
        rebuild(path, runs)
    except DatabaseError as error:
        said = str(error)
    left = sorted(file.name for file in disk.iterdir())
    is_old = path.read_bytes() == OLD
    found = {"said": said, "is_old": is_old, "left": left, "rows": None if is_old else counts(path)}
    subprocess.run(["umount", disk], check=True)
    return found


def read_only(disk: Path, runs: Runs) -> dict[str, Any]:
    """Read, verify, write and rebuild on a disk that takes nothing."""
    mounted(disk, "64m")
    path, said = disk / "results.db", []
    rebuild(path, runs)
    mounted(disk, "64m", "remount", "ro")
    writer = Writer(path, runs)
    writer.queue_trial(runs.trials()[0])
    for write in (writer.commit, lambda: rebuild(path, runs)):
        try:
            write()
        except DatabaseError as error:
            said.append(str(error))
    found = {"said": said, "pending": writer.pending, "rows": counts(path), "verified": verify(path, runs)}
    subprocess.run(["umount", disk], check=True)
    return found


if __name__ == "__main__":
    runs, folder = Runs(Path(sys.argv[1])), Path(sys.argv[2])
    print(json.dumps(read_only(folder, runs)))
    for size in sys.argv[3:]:
        outcome = {"written": written(folder, f"{size}k", runs), "rebuilt": rebuilt(folder, f"{size}k", runs)}
        print(json.dumps({"kibibytes": int(size), **outcome}), flush=True)
