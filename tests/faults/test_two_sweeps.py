"""Two sweeps at once on one run folder and database, which have some of their trials in common."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.helpers.forked import run_file
from tests.helpers.promises import Promise
from tests.helpers.small_sweep import write_sweep
from tests.helpers.sweep_process import IN_FORKS, command, results, rows_without_times


@pytest.mark.timeout(600)
def test_what_two_sweeps_share_is_trained_by_one_of_them_and_every_row_is_there_once(
    tmp_path: Path, promise: Promise
) -> None:
    narrow = write_sweep(tmp_path / "narrow.yaml", tuning=4, epochs=30, grid={"width": ["1/4", "1/2"]})
    wide = write_sweep(tmp_path / "wide.yaml", tuning=4, epochs=30, grid={"width": ["1/2", "1"]})
    folder = tmp_path / "both"
    words = command(narrow, folder, "--json", program=IN_FORKS)
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline()  # it has imported what it needs, and begins
        here = run_file(wide, folder)
        there = json.loads(process.communicate()[0].splitlines()[-1])
    assert (process.returncode, here.problems) == (0, [])
    rows = rows_without_times(folder / "results.db")
    asked = [trial for _, trial, *_ in rows["sweep_trials"]]
    distinct = set(asked)
    shared = len(asked) - len(distinct)
    assert shared == 6, "one width of each: 4 tuning trials and 2 final ones"
    trained = here.trained + there["trained"]
    assert trained == len(distinct) == len(results(folder)) == len(rows["trials"])
    measurements = [row[:2] for row in rows["measurements"]]
    assert len(measurements) == len(set(measurements)) == 2 * 3 * 2
    promise(
        "Two sweeps at once: shared trials are trained by one of them, every row is there once",
        "0 trained twice",
        f"{trained - len(distinct)} of {shared} shared trials trained twice",
    )
