"""A whole sweep on a disk that gets full: it says so in a line, and goes on once there is space."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoreg.runs import Runs, TrialFolder
from tests.faults.conftest import Promise
from tests.faults.here import run_here
from tests.faults.small_sweep import write_sweep
from tests.sweep_process import command, rows_without_times

#: Arguments: the size of the disk, where it is mounted, a folder that outlives it, and the sweep's command.
SCRIPT = """
size=$1 disk=$2 kept=$3; shift 3
mount -t tmpfs -o size=$size tmpfs "$disk"
"$@" 2> "$kept/full.log"; echo $? > "$kept/full.code"
df -k "$disk" > "$kept/df"; ls "$disk"/runs/*-r*/result.json > "$kept/results"
mount -o remount,size=64m "$disk"
"$@" 2> "$kept/enlarged.log"; echo $? > "$kept/enlarged.code"
cp "$disk/results.db" "$kept"
"""
#: From a disk that is full at once, over one that has no room for Ray Tune's own files, to one that is full at the end.
SLOW_SIZES = [pytest.param(size, marks=pytest.mark.slow) for size in ("64k", "900k", "1600k", "2500k", "4000k")]


def can_mount() -> bool:
    words = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return bool(shutil.which("unshare")) and subprocess.run(words, capture_output=True).returncode == 0


@pytest.mark.timeout(900)
@pytest.mark.skipif(not can_mount(), reason="needs the right to mount a disk in a name space of its own")
@pytest.mark.parametrize("size", ["3000k", *SLOW_SIZES])
def test_a_sweep_on_a_full_disk_says_so_and_ends_with_every_row_once_there_is_space(
    size: str, tmp_path: Path, ray_here: Any, promise: Promise
) -> None:
    file = write_sweep(tmp_path / "full.yaml", replicates=8)
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    kept.mkdir()
    subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh", size, disk, kept, *command(file, disk)],
        check=True,
    )
    first, second = (kept / "full.log").read_text(), (kept / "enlarged.log").read_text()
    assert (kept / "full.code").read_text().strip() in ("1", "3", "4"), first
    assert "No space left on device" in first
    assert "Traceback" not in first
    assert (kept / "enlarged.code").read_text().strip() == "0", second
    run_here(file, tmp_path / "roomy")
    assert rows_without_times(kept / "results.db") == rows_without_times(tmp_path / "roomy" / "results.db")
    promise(
        "A full disk is said in a clear line, and the sweep goes on once there is space",
        "every row after the same command",
        f"every row, disk of {size}",
    )


#: Arguments: the size of the disk, where it is mounted, the run folder, Python.
DATABASE_SCRIPT = """
mount -t tmpfs -o size=$1 tmpfs "$2"
"$4" -m autoreg rebuild --db "$2/results.db" --runs "$3" 2> "$2.log"; echo $? > "$2.code"
ls -A "$2" > "$2.left"
"$4" -m tests.faults.writer_on_a_full_disk "$2" "$3"
"""


@pytest.mark.skipif(not can_mount(), reason="needs the right to mount a disk in a name space of its own")
@pytest.mark.parametrize("size", ["200k", "1000k"])
def test_a_writer_on_a_full_disk_loses_no_row_and_goes_on_once_there_is_space(
    size: str, runs: Runs, trial: Callable[..., TrialFolder], tmp_path: Path
) -> None:
    for replicate in range(60):
        trial(replicate=replicate)
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["unshare", "--map-root-user", "--mount", "sh", "-c", DATABASE_SCRIPT, "sh", size, disk, runs.root]
    ended = subprocess.run([*words, sys.executable], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    [line] = (tmp_path / "disk.log").read_text().splitlines()
    assert "results.db cannot be written" in line or "results.db.rebuild cannot be written" in line
    assert "No space left on device" in line
    assert (tmp_path / "disk.code").read_text().strip() == "4"
    assert (tmp_path / "disk.left").read_text().split() == ["results.db.lock"], "a rebuild leaves the space it took"
    found = json.loads(ended.stdout)
    assert all("No space left on device" in line for line in found["errors"])
    assert len(found["errors"]) == 2
    assert found["rows_seen"] + found["waiting"] == 60, "what is not in the queue is in the database"
    assert (found["rows"], found["problems"]) == (60, [])
