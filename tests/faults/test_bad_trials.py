"""One bad trial, whatever is wrong with it, never stops the others."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from autoreg.cli.main import main
from autoreg.database.connection import query, reading
from autoreg.runs.folder import Runs
from tests.faults import bad_networks as bad
from tests.helpers.promises import Promise
from tests.helpers.small_sweep import write_sweep


def swept(file: Path, *options: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the sweep as from the command line, and return the exit code."""
    own = ["--runs", str(file.parent / "runs"), "--db", str(file.parent / "results.db")]
    monkeypatch.setattr(sys, "argv", ["autoreg", "sweep", str(file), *own, *options])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def recorded(database: Path) -> dict[float, tuple[str, str]]:
    """Each width's status and error."""
    with reading(database) as connection:
        rows = query(connection, "select width, status, coalesce(error, '') as error from trials").rows()
    assert len(rows) == len({width for width, _, _ in rows}), "a trial has two rows"
    return {width: (status, error) for width, status, error in rows}


@pytest.mark.timeout(600)
@pytest.mark.skipif(os.cpu_count() == 1, reason="needs two cores, or every trial is alone")
def test_every_bad_trial_is_contained_recorded_and_listed_and_only_they_are_tried_again(
    tmp_path: Path, ray_here: Any, promise: Promise, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    cpus = int(ray_here.cluster_resources()["CPU"])
    widths = [bad.SOUND, bad.RAISES, bad.IS_KILLED, bad.WANTS_MEMORY, bad.HANGS, bad.DIVERGES]
    file = write_sweep(
        tmp_path / "bad.yaml", replicates=1, grid={"width": widths}, resources={"time_limit_hours": 0.003},
        network={"name": "tests.faults.bad_networks:build", "folder": str(tmp_path), "cpus": cpus},
    )  # fmt: skip
    assert swept(file, monkeypatch=monkeypatch) == 1
    said = capsys.readouterr().err.splitlines()
    found = recorded(tmp_path / "results.db")
    assert {width: status for width, (status, _) in found.items()} == {
        bad.SOUND: "done", bad.RAISES: "failed", bad.IS_KILLED: "failed", bad.WANTS_MEMORY: "done",
        bad.HANGS: "failed", bad.DIVERGES: "diverged",
    }  # fmt: skip
    assert found[bad.RAISES][1].startswith("RuntimeError: this width is not for you")
    assert "gave up after several tries: " in found[bad.IS_KILLED][1]
    assert "it was stopped after 0.003 h, which is resources.time_limit_hours" in found[bad.HANGS][1]
    assert "bad_networks.py" in found[bad.HANGS][1], "the stack says where"
    runs = Runs(tmp_path / "runs")
    logs = {folder.read_config().width: folder.log_path.read_text() for folder in runs.trials()}
    assert "RuntimeError: this width is not for you" in logs[bad.RAISES]
    assert logs[bad.IS_KILLED].count("  start: ") == logs[bad.IS_KILLED].count("  this try ended: ") > 1
    assert "not the trial's fault:" in logs[bad.WANTS_MEMORY]
    assert "resources.time_limit_hours" in logs[bad.HANGS]
    assert "bad_networks.py" in logs[bad.HANGS]
    assert sum("MemoryError: no memory beside others" in line and "for itself" in line for line in said) == 1
    listed = [line for line in said if not line.startswith("[") and "-r0  " in line]
    assert [line.split()[1] for line in sorted(listed, key=lambda line: line.split()[1])] == [
        "diverged",
        *["failed"] * 3,
    ]
    (tmp_path / bad.FIXED).touch()
    request.getfixturevalue("forks")
    assert swept(file, "--retry-failed", monkeypatch=monkeypatch) == 1, "the diverged one is no failure of the machine"
    assert "3 trials trained, 3 were done before, 1 with problems" in capsys.readouterr().err
    after = {width: status for width, (status, _) in recorded(tmp_path / "results.db").items()}
    assert after == {width: "diverged" if width == bad.DIVERGES else "done" for width in widths}
    promise(
        "One bad trial never stops the others; --retry-failed trains just the failed ones",
        "exception, SIGKILL, NaN, out of memory, hang: each contained and recorded",
        "5 of 5 contained, 3 recorded as failed, 1 as diverged, 1 done alone; 3 of 3 trained again",
    )
