"""A run folder of ten thousand trials: planned in seconds, brought in in linear time, in bounded memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.generate_trials import generate
from tests.helpers.promises import Promise

ROOT = Path(__file__).parents[2]


def resumed(folder: Path, trials: int) -> dict[str, float]:
    folder.mkdir()
    generate(folder, trials)
    command = [sys.executable, "-m", "benchmarks.resume", str(folder)]
    found: dict[str, float] = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
    assert found["trials"] == trials
    return found


def test_a_sweep_whose_trials_are_done_finds_nothing_to_do_and_keeps_few_files_a_trial(tmp_path: Path) -> None:
    resumed(tmp_path / "few", 200)
    folders = list((tmp_path / "few" / "runs").glob("*-r*"))
    assert len(folders) == 200
    for folder in folders:
        files = [path.name for path in folder.rglob("*") if path.is_file() and path.name != "checkpoint.pt"]
        assert len(files) <= 4, files  # and a log, which these trials have not; see tests/tuning/test_worker.py


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_thousand_trials(tmp_path: Path, promise: Promise) -> None:
    few, many = resumed(tmp_path / "few", 2_000), resumed(tmp_path / "many", 10_000)
    growth = many["ingest_seconds"] / few["ingest_seconds"] / 5
    memory = (many["memory_mb"] - few["memory_mb"]) / 8
    promise(
        "10,000 finished trials are planned in seconds, in bounded memory",
        "under 5 s; linear; bounded",
        f"plan {many['resume_seconds']:.1f} s; ingest {growth:.2f} times linear from 2,000 to 10,000 trials; "
        f"driver {many['memory_mb']:.0f} MB, {memory:.1f} MB more a thousand trials",
    )
    assert growth < 1.5
    assert memory < 50
