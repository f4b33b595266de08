"""Whatever the run folder's files say, the trial or sweep they belong to is named and the others are written."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from autoreg.config.trial import measurement_id
from autoreg.database.writer import rebuild
from autoreg.files import write_atomically
from autoreg.runs.folder import Runs, TrialFolder
from tests.helpers.database import contents
from tests.helpers.records import plant_result, write_record

MakeTrial = Callable[..., TrialFolder]
MakeRecord = Callable[..., dict[str, Any]]


def measured(folder: TrialFolder, name: str, columns: dict[str, list[Any]]) -> None:
    """Put the file of a measurement beside the others of a trial."""
    facts = {"metric": name, "version": "1", "split": "test", "options": "{}"}
    path = folder.measurement_path(name, measurement_id(name, 1, "test", {}))
    write_atomically(path, lambda temporary: pl.DataFrame(columns).write_parquet(temporary, metadata=facts))


UNFIT = " does not fit its table in results.db"


@pytest.mark.parametrize(
    ("name", "columns", "why"),
    [
        ("sparsity", {"split": ["test"], "density": [0.5]}, UNFIT),
        ("sparsity", {"split": ["test"], "sparsity": ["much"]}, UNFIT),
        ("ablation", {"split": ["test"]}, UNFIT),
        ("similarity", {"split": ["test"], "layer": ["conv"]}, UNFIT),
        ("auc", {"split": ["test"]}, ": auc is a view of autoreg's own, not a metric's"),
    ],
    ids=["another column", "another type", "too few columns", "no units", "a view's name"],
)
def test_rows_that_do_not_fit_their_table_keep_no_other_trial_out(
    runs: Runs, trial: MakeTrial, tmp_path: Path, name: str, columns: dict[str, list[Any]], why: str
) -> None:
    folders = sorted((trial(replicate=replicate) for replicate in range(3)), key=lambda folder: folder.trial_id)
    measured(folders[0], "sparsity", {"split": ["test"], "sparsity": [0.5]})
    measured(folders[1], name, columns)
    count, [problem] = rebuild(tmp_path / "results.db", runs)
    assert count == 2
    assert problem.startswith(f"trial {folders[1].trial_id} is left out")
    assert re.search(rf"{name}-[0-9a-f]{{16}}\.parquet{why}", problem)
    assert {row[0] for row in contents(tmp_path / "results.db")["ablation"]} == {
        folders[0].trial_id,
        folders[2].trial_id,
    }


@pytest.mark.parametrize("name", ["Measurements", "MEASUREMENTS", "Units", "ABLATION", "published", "new_rows"])
def test_a_metric_bears_no_tables_name_in_capitals_either(
    runs: Runs, trial: MakeTrial, tmp_path: Path, name: str
) -> None:
    columns = {"metric": ["planted"], "version": [9], "split": ["test"], "options": ["{}"]}
    measured(trial(), name, columns)
    count, [problem] = rebuild(tmp_path / "results.db", runs)
    assert count == 0
    assert f"{name} is a table of autoreg's own" in problem


RECORDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no mapping": lambda record: [record],
    "nothing": lambda _: {},
    "of another sweep": lambda record: {**record, "sweep_id": "f" * 16},
    "no time": lambda record: {**record, "updated_at": "yesterday"},
    "a time without zone": lambda record: {**record, "updated_at": "2026-01-01"},
    "trials that are a number": lambda record: {**record, "sweep_trials": 3},
    "a trial that is a text": lambda record: {**record, "sweep_trials": ["trial"]},
    "an endless number": lambda record: {**record, "sweep_groups": [{**record["sweep_groups"][0], "epochs": 10**30}]},
}


@pytest.mark.parametrize("change", RECORDS.values(), ids=RECORDS)
def test_a_damaged_record_of_a_sweep_is_named_and_the_others_are_written(
    runs: Runs, trial: MakeTrial, sweep_record: MakeRecord, tmp_path: Path, change: Callable[[dict[str, Any]], Any]
) -> None:
    record = sweep_record([trial()])
    write_record(runs, {**record, "sweep_id": "1" * 16})
    runs.sweep_path(record["sweep_id"]).write_text(json.dumps(change(record)))
    count, [problem] = rebuild(tmp_path / "results.db", runs)
    assert count == 1
    assert problem.startswith(f"sweep {record['sweep_id']} is left out of the database: ")
    assert [row[0] for row in contents(tmp_path / "results.db")["sweeps"]] == ["1" * 16]


@pytest.mark.parametrize(
    "change",
    [
        {"finished_at": "yesterday"}, {"finished_at": "2026-01-01"}, {"parameters": 2**63}, {"epochs_run": -1},
        {"test_accuracy": 7.5}, {"validation_accuracy": -0.1}, {"seconds": -1.0}, {"best_epoch": 0},
    ],
    ids=[
        "no time", "no zone", "too many parameters", "fewer than no epochs", "more than all right", "fewer than none",
        "less than no time", "no epoch",
    ],
)  # fmt: skip
def test_a_result_that_cannot_be_is_damaged(
    runs: Runs, trial: MakeTrial, tmp_path: Path, change: dict[str, Any]
) -> None:
    bad, _ = trial(), trial(replicate=1)
    plant_result(bad, **change)
    count, [problem] = rebuild(tmp_path / "results.db", runs)
    assert count == 1
    assert "cannot be read as a result" in problem
