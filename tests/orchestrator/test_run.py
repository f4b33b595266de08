"""A sweep through Ray: everything trained, measured and written once, however it is interrupted."""

import shlex
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from autoreg.config.sweep_file import LoadedSweep
from autoreg.database.connection import query, reading
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.run import run_sweep
from autoreg.runs.folder import Runs
from tests.helpers.database import contents
from tests.helpers.forked import run_forked
from tests.helpers.sweep_process import (
    command,
    results,
    rows_without_times,
    settings,
    start,
    wait_for_trials,
)

Small = Callable[..., LoadedSweep]
pytestmark = pytest.mark.timeout(900)


@pytest.mark.usefixtures("ray_here")
def test_a_sweep_ends_with_all_its_rows_and_a_second_start_adds_none(small: Small, runs: Runs, tmp_path: Path) -> None:
    database = tmp_path / "results.db"
    plan = make_plan(small())
    summary = run_sweep(plan, runs, database)
    assert (summary.trained, summary.skipped, summary.problems, summary.unwritten) == (14, 0, [], 0)
    with reading(database) as connection:
        counts = query(connection, "select kind, status, count(*) as n from trials group by all").rows()
        assert sum(count for kind, _, count in counts if kind == "final") == 4
        assert sum(count for kind, _, count in counts if kind == "tune") == 10
        assert query(connection, "select count(distinct trial_id) as n from ablation")["n"][0] == 4
        assert query(connection, "select count(distinct trial_id) as n from units")["n"][0] == 4
        assert query(connection, "select distinct state from final_trial_states").rows() == [("measured",)]
        assert (
            query(connection, "select count(*) as n from trials where kind = 'tune' and test_accuracy is not null")[
                "n"
            ][0]
            == 0
        )
    before = contents(database)
    again = run_sweep(plan, runs, database)
    assert (again.trained, again.skipped) == (0, 14)
    after = contents(database)
    assert {name: rows for name, rows in after.items() if name != "sweeps"} == {
        name: rows for name, rows in before.items() if name != "sweeps"
    }
    assert list((runs.scratch).iterdir()) == []


def test_a_measurement_that_is_missing_is_made_without_training(small: Small, runs: Runs, tmp_path: Path) -> None:
    database = tmp_path / "results.db"
    overrides = ("tune=null", "grid.width=[1/4]")
    run_forked(make_plan(small(*overrides)), runs, database)
    summary = run_forked(make_plan(small(*overrides, "measure.metrics.similarity.threshold=0.7")), runs, database)
    assert (summary.trained, summary.skipped, summary.problems) == (0, 2, [])
    with reading(database) as connection:
        assert query(connection, "select metric, count(*) as n from measurements group by all order by all").rows() == [
            ("ablation", 2), ("similarity", 4),
        ]  # fmt: skip


def test_what_the_machine_got_wrong_is_tried_again_and_what_the_trial_got_wrong_is_not(
    small: Small, runs: Runs, tmp_path: Path
) -> None:
    folder = tmp_path / "tries"
    overrides = ("tune=null", "network=tests.helpers.faulty:fails_once", f"network.folder={folder}", "replicates=1")
    summary = run_forked(make_plan(small(*overrides)), runs, tmp_path / "results.db")
    assert (summary.trained, summary.problems) == (2, [])
    assert len(list(folder.iterdir())) == 2, "each trial failed once and was tried again"


def test_weights_that_turn_out_to_be_damaged_are_trained_again(small: Small, runs: Runs, tmp_path: Path) -> None:
    plan, database = make_plan(small("tune=null", "grid.width=[1/4]")), tmp_path / "results.db"
    run_forked(plan, runs, database)
    before = rows_without_times(database)
    folder = runs.trials()[0]
    folder.checkpoint_path.write_bytes(folder.checkpoint_path.read_bytes()[:-100])
    for path in folder.measurement_paths():
        path.unlink()
    summary = run_forked(plan, runs, database)
    assert (summary.trained, summary.skipped, summary.problems) == (1, 1, [])
    assert rows_without_times(database) == before


SLOW = ("training.epochs=75", "tune.epochs=50", "dataset.train_size=1000")


def test_sigterm_and_ctrl_c_save_what_is_in_flight_and_say_how_to_go_on(small: Small, tmp_path: Path) -> None:
    file, folder = Path(small().document.source), tmp_path / "stopped"
    for number, trials in ((signal.SIGTERM, 3), (signal.SIGINT, 6)):
        process = start(file, folder, *settings(*SLOW))
        wait_for_trials(folder, trials, process)
        process.send_signal(number)
        assert process.wait(120) == 130
        log = (folder / "log").read_text()
        (folder / "log").unlink()
        assert "running trials save their state" in log
        said, _, again = log.splitlines()[-1].partition(" autoreg ")
        assert said.startswith("autoreg: stopped; to go on:")
        assert shlex.split(again) == command(file, folder, *settings(*SLOW))[3:]
        assert "Traceback" not in log
        assert "SIGTERM" not in log
        assert trials <= len(results(folder)) == len(contents(folder / "results.db")["trials"]) < 14
    summary = run_forked(make_plan(small(*SLOW)), Runs(folder / "runs"), folder / "results.db")
    assert (summary.problems, len(results(folder))) == ([], 14)
