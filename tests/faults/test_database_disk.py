"""results.db on a disk that is too small or takes nothing: no row is lost, and nothing half takes its place."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoreg.database.writer import rebuild
from autoreg.errors import DatabaseError
from autoreg.runs.folder import Runs, TrialFolder
from tests.faults.small_disk import counts
from tests.helpers.machine import can_mount
from tests.helpers.promises import Promise

MakeTrial = Callable[..., TrialFolder]
ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(900)
@pytest.mark.skipif(not can_mount(), reason="needs the right to mount a disk in a name space of its own")
@pytest.mark.parametrize(
    "sizes",
    [(300, 900, 1400), pytest.param(tuple(range(200, 6600, 200)), marks=pytest.mark.slow)],
    ids=["some sizes", "many sizes"],
)
def test_a_disk_without_room_keeps_no_row_out_for_good_and_no_half_database_in(
    runs: Runs, trial: MakeTrial, tmp_path: Path, sizes: tuple[int, ...], promise: Promise
) -> None:
    for replicate in range(4):
        trial(replicate=replicate)
    rebuild(tmp_path / "results.db", runs)
    expected, disk = counts(tmp_path / "results.db"), tmp_path / "disk"
    disk.mkdir()
    command = ["unshare", "--map-root-user", "--mount", sys.executable, "-m", "tests.faults.small_disk"]
    output = subprocess.run(
        [*command, runs.root, disk, *map(str, sizes)], cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    read_only, *outcomes = (json.loads(line) for line in output.splitlines())
    assert (read_only["rows"], read_only["verified"], read_only["pending"]) == (expected, [], 1)
    assert len(read_only["said"]) == 2
    assert all(is_clear(said) and "Read-only file system" in said for said in read_only["said"])
    for outcome in outcomes:
        written, rebuilt = outcome["written"], outcome["rebuilt"]
        assert (written["rows"], written["problems"]) == (expected, []), "enlarged, the same process goes on"
        assert is_clear(written["said"]) if written["pending"] else not written["said"]
        assert set(rebuilt["left"]) == {"results.db"}
        assert is_clear(rebuilt["said"]) if rebuilt["is_old"] else rebuilt["rows"] == expected
    assert {outcome["rebuilt"]["is_old"] for outcome in outcomes} == ({True, False} if len(sizes) > 3 else {True})
    promise(
        "A full disk is reported in one clear line, and the sweep resumes once there is space",
        "every row after a rerun",
        f"results.db on {len(sizes)} sizes of disk: every row once there is space, or what was there before",
    )


def is_clear(said: str) -> bool:
    has_reason = "No space left on device" in said or "Read-only file system" in said
    return "results.db cannot be written: " in said and has_reason and len(said.splitlines()) == 1


def test_a_rebuild_that_fails_leaves_what_was_there(
    runs: Runs, trial: MakeTrial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial()
    path = tmp_path / "results.db"
    path.write_bytes(b"what was there")

    def refuse(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("autoreg.database.writer.bring_in", refuse)
    with pytest.raises(DatabaseError, match="No space left on device"):
        rebuild(path, runs)
    assert path.read_bytes() == b"what was there"
    assert {file.name for file in tmp_path.iterdir()} == {"results.db", "runs"}
