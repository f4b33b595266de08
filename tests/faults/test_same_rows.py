"""The same seeds give the same rows on the same machine, however many trials run at once."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.faults.here import one_core_left, run_here
from tests.helpers.meeting import TOGETHER, trainers
from tests.helpers.promises import Promise
from tests.helpers.small_sweep import write_sweep
from tests.helpers.sweep_process import rows_without_times


@pytest.mark.timeout(900)
@pytest.mark.skipif(os.cpu_count() == 1, reason="needs two cores")
@pytest.mark.parametrize("tuning", [4, pytest.param(24, marks=pytest.mark.slow)])
def test_a_sweep_gives_the_same_rows_however_many_trials_run_at_once(
    tuning: int, tmp_path: Path, ray_here: Any, promise: Promise
) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    network = {"name": "tests.helpers.meeting:build", "folder": str(notes)}
    file = write_sweep(tmp_path / "same.yaml", tuning=tuning, replicates=1, epochs=5, network=network)
    with one_core_left(ray_here):
        run_here(file, tmp_path / "one")
    alone = len(trainers(notes))
    for note in notes.iterdir():
        note.unlink()
    (notes / TOGETHER).touch()
    run_here(file, tmp_path / "all")
    together = len(trainers(notes))
    assert alone == 1
    assert together > 1
    rows = rows_without_times(tmp_path / "one" / "results.db")
    assert rows == rows_without_times(tmp_path / "all" / "results.db")
    promise(
        "Same seeds, same machine, any concurrency: the same rows",
        "identical, times aside",
        f"identical: {len(rows['trials'])} trials, 1 and {together} at once",
    )
