"""Rows of results.db follow the files of the run folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from autoreg.config.trial import measurement_id
from autoreg.database.connection import query, reading
from autoreg.database.writer import Writer, rebuild
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.measurements import digest_of, write_measurement
from tests.conftest import ablation_rows
from tests.helpers.database import contents

MakeTrial = Callable[..., TrialFolder]


def measure(folder: TrialFolder, metric: str, frame: pl.DataFrame) -> Path:
    path = folder.measurement_path(metric, measurement_id(metric, 1, "test", {}))
    write_measurement(path, frame, {"metric": metric, "version": "1", "split": "test", "options": "{}"})
    return path


@pytest.mark.parametrize(
    ("metric", "column", "before", "after"),
    [
        ("ablation", "unchanged", ablation_rows((1.0, 0.5)), ablation_rows((1.0, 0.25))),
        ("pack:own", "value", pl.DataFrame({"value": [0.5]}), pl.DataFrame({"value": [0.25]})),
    ],
)
def test_a_measurement_that_was_made_again_replaces_its_rows(
    tmp_path: Path, runs: Runs, trial: MakeTrial, metric: str, column: str, before: pl.DataFrame, after: pl.DataFrame
) -> None:
    folders, path = [trial(), trial(replicate=1)], tmp_path / "results.db"
    for folder in folders:
        measure(folder, metric, before)
    rebuild(path, runs)
    writer, result = Writer(path, runs), folders[0].read_result()
    assert all(writer.known().has_all_of(folder, folder.read_result()) for folder in folders)
    measure(folders[0], metric, after)
    assert not writer.known().has_all_of(folders[0], result)
    writer.queue_trial(folders[0])
    assert writer.commit()
    assert writer.known().has_all_of(folders[0], result)
    assert values(path, metric, column) == {
        folders[0].trial_id: set(after[column]), folders[1].trial_id: set(before[column])
    }  # fmt: skip
    kept = contents(path)
    rebuild(path, runs)
    assert contents(path) == kept


def values(path: Path, metric: str, column: str) -> dict[str, Any]:
    table = metric if metric == "ablation" else '"pack_own version 1"'
    with reading(path) as connection:
        rows = query(connection, f"select trial_id, list(distinct {column}) as seen from {table} group by all")
    return {trial_id: set(seen) for trial_id, seen in rows.rows()}


def test_a_file_of_the_first_versions_that_was_made_again_replaces_its_rows(
    tmp_path: Path, runs: Runs, trial: MakeTrial
) -> None:
    folder, path = trial(), tmp_path / "results.db"
    rebuild(path, runs)
    again = measure(folder, "ablation", ablation_rows((1.0, 0.25)))
    writer = Writer(path, runs)
    assert not writer.known().has_all_of(folder, folder.read_result())
    writer.queue_trial(folder)
    assert writer.commit()
    assert values(path, "ablation", "unchanged")[folder.trial_id] == {1.0, 0.25, 0.27}
    again.write_bytes(b"no measurement")
    assert digest_of(again) is None
