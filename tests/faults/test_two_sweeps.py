"""Two sweeps at once on one run folder and database, which have some of their trials in common."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.forked import run_file
from tests.helpers.promises import Promise
from tests.helpers.small_sweep import write_sweep
from tests.helpers.sweep_process import results, rows_without_times


@pytest.mark.timeout(600)
def test_what_two_sweeps_share_is_trained_by_one_of_them_and_every_row_is_there_once(
    tmp_path: Path, promise: Promise
) -> None:
    narrow = write_sweep(tmp_path / "narrow.yaml", tuning=4, epochs=100, grid={"width": ["1/4", "1/2"]})
    wide = write_sweep(tmp_path / "wide.yaml", tuning=4, epochs=100, grid={"width": ["1/2", "1"]})
    folder = tmp_path / "both"
    command = [sys.executable, "-m", "tests.helpers.forked", narrow, folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        here = run_file(wide, folder)
        there, _ = process.communicate()
    assert (process.returncode, here.problems) == (0, [])
    rows = rows_without_times(folder / "results.db")
    asked = [trial for _, trial, *_ in rows["sweep_trials"]]
    distinct = set(asked)
    shared = len(asked) - len(distinct)
    assert shared == 6, "one width of each: 4 tuning trials and 2 final ones"
    trained = here.trained + int(there)
    assert trained == len(distinct) == len(results(folder)) == len(rows["trials"])
    measurements = [row[:2] for row in rows["measurements"]]
    assert len(measurements) == len(set(measurements)) == 2 * 3 * 2
    promise(
        "Two sweeps at once: shared trials are trained by one of them, every row is there once",
        "0 trained twice",
        f"{trained - len(distinct)} of {shared} shared trials trained twice",
    )
