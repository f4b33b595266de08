"""A run folder and a results.db of the version before are read as they are: `tests/older`, made at commit 473ccf2."""

import gzip
import shutil
from pathlib import Path

import pytest

from autoreg.config.sweep_file import load_sweep
from autoreg.database.connection import query, reading
from autoreg.database.verify import verify
from autoreg.database.writer import Writer, rebuild
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.runner import SweepRunner
from autoreg.runs.folder import Runs
from tests.helpers.database import contents

OLDER = Path(__file__).parents[1] / "older"
TRIALS = {
    "4016c05db653e167-r0", "4016c05db653e167-r1", "79387afd6cf36783-r0", "e69f7bd6606b68d7-r0", "f16bd8f033edfdf3-r0",
}  # fmt: skip


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A copy of the folder, with its database unpacked."""
    shutil.copytree(OLDER, tmp_path / "older")
    (tmp_path / "older" / "results.db").write_bytes(gzip.decompress((OLDER / "results.db.gz").read_bytes()))
    return tmp_path / "older"


def test_the_same_sweep_has_the_same_ids_and_nothing_is_left_to_do(older: Path) -> None:
    plan, runs = make_plan(load_sweep(older / "older.yaml")), Runs(older / "runs")
    assert plan.sweep.sweep_id == "31c3278b836ca772"
    assert plan.groups[0][0].study_id == "a471ebf3361c96e1"
    assert [measurement.measurement_id for measurement in plan.measurements] == ["5d8a3315129dcb65", "6059efccd6593f76"]
    runner = SweepRunner(plan, runs, older / "results.db")
    assert runner.begin() == []
    assert {config.trial_id for _, config in runner.driver.schedule.planned()} == TRIALS
    assert not runner.driver.has_work
    assert (runner.driver.endings.skipped, runner.driver.counts.measured) == (5, 2)


def test_its_run_folder_gives_every_row(older: Path) -> None:
    assert rebuild(older / "again.db", Runs(older / "runs")) == (5, [])
    with reading(older / "again.db") as connection:
        assert set(query(connection, "select trial_id from trials")["trial_id"]) == TRIALS
        assert query(connection, "select count(*) as n from final_trial_states where state = 'measured'")["n"][0] == 2
        assert query(connection, "from figure_b5").height > 0


def test_its_database_is_brought_up_to_date_and_then_has_just_these_rows(older: Path) -> None:
    runs = Runs(older / "runs")
    writer = Writer(older / "results.db", runs)
    writer.queue_sweep("31c3278b836ca772")
    assert writer.commit()
    assert verify(older / "results.db", runs) == []
    rebuild(older / "again.db", runs)
    assert contents(older / "results.db") == contents(older / "again.db")
