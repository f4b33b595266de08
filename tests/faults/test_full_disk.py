"""A whole sweep on a disk that gets full: it says so in a line, and goes on once there is space."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.forked import run_file
from tests.helpers.machine import can_mount
from tests.helpers.promises import Promise
from tests.helpers.small_sweep import SIZES, write_sweep
from tests.helpers.sweep_process import command, rows_without_times

#: Arguments: the size of the disk, where it is mounted, a folder that outlives it, Python, the sweep's file, and the
#: command that runs it.
SCRIPT = """
size=$1 disk=$2 kept=$3 python=$4 file=$5; shift 5
mount -t tmpfs -o size=$size tmpfs "$disk"
"$@" 2> "$kept/full.log"; echo $? > "$kept/full.code"
df -k "$disk" > "$kept/df"; ls "$disk"/runs/*-r*/result.json > "$kept/results"
mount -o remount,size=200m "$disk"
"$python" -m tests.helpers.in_forks sweep "$file" --runs "$disk/runs" --db "$disk/results.db" 2> "$kept/enlarged.log"
echo $? > "$kept/enlarged.code"
cp "$disk/results.db" "$kept"
"""
#: How much of what the sweep needs there is room for: from a disk that is full at once, over one that the database
#: alone fills, to one that is full near the end.
SLOW_SHARES = [pytest.param(share, marks=pytest.mark.slow) for share in (0.005, 0.02, 0.1, 0.2, 0.9)]
#: So wide an input that the checkpoints, not the database, are most of what is written.
DATASET = {"name": "teacher", "dimensions": 10_000, **SIZES}


@pytest.mark.timeout(900)
@pytest.mark.skipif(not can_mount(), reason="needs the right to mount a disk in a name space of its own")
@pytest.mark.parametrize("share", [0.6, *SLOW_SHARES])
def test_a_sweep_on_a_full_disk_says_so_and_ends_with_every_row_once_there_is_space(
    share: float, tmp_path: Path, promise: Promise
) -> None:
    file = write_sweep(tmp_path / "full.yaml", replicates=4, epochs=1, dataset=DATASET)
    disk, kept, roomy = tmp_path / "disk", tmp_path / "kept", tmp_path / "roomy"
    disk.mkdir()
    kept.mkdir()
    run_file(file, roomy)
    needed = sum(path.stat().st_size for path in roomy.rglob("*") if path.is_file()) // 1024
    size = f"{int(share * needed)}k"
    arguments = [size, disk, kept, sys.executable, file, *command(file, disk)]
    subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh", *arguments], check=True)
    first, second = (kept / "full.log").read_text(), (kept / "enlarged.log").read_text()
    assert (kept / "full.code").read_text().strip() in ("1", "3", "4"), first
    assert "No space left on device" in first
    assert "Traceback" not in first
    assert (kept / "enlarged.code").read_text().strip() == "0", second
    assert rows_without_times(kept / "results.db") == rows_without_times(roomy / "results.db")
    promise(
        "A full disk is reported in one clear line, and the sweep resumes once there is space",
        "every row after a rerun",
        f"every row, room for {share:.0%}",
    )
