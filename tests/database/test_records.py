"""Whatever the run folder says of a trial, results.db can be asked for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoreg.config.trial import Choice, TrialConfig
from autoreg.database.connection import query, reading
from autoreg.database.writer import rebuild
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.records import Epoch, Layer, TrialResult

#: No field has its default, or the value of another.
FIELDS = {
    "width": 0.5, "random_labels": True, "augmentation": True, "dropout": 0.25, "weight_decay": 1e-3,
    "optimizer": Choice(name="adam"), "learning_rate": 0.01, "batch_size": 20, "lr_batch_factor": 4.0,
    "schedule": Choice(name="step", options={"boundaries": [2]}), "epochs": 7, "patience": 5, "shuffle": False,
    "replicate": 3, "study": "0123456789abcdef", "weight_average": 0.9, "precision": "bfloat16",
    "exact_batch": True, "parametrization": "mup", "richness": 0.1,
}  # fmt: skip
#: Columns that have what was used: `lr_batch_factor` is in it.
AS_USED = {"learning_rate": 0.04, "batch_size": 80}


@pytest.fixture(scope="module")
def folder(trial_in: Callable[..., TrialFolder], tmp_path_factory: pytest.TempPathFactory) -> TrialFolder:
    return trial_in(Runs(tmp_path_factory.mktemp("records") / "runs"), **FIELDS)


@pytest.fixture(scope="module")
def database(folder: TrialFolder) -> Path:
    path = folder.path.parent.parent / "results.db"
    rebuild(path, Runs(folder.path.parent))
    return path


@pytest.fixture(scope="module")
def row(database: Path) -> dict[str, Any]:
    with reading(database) as connection:
        [row] = query(connection, "select * from trials").to_dicts()
    return row


@pytest.mark.parametrize("field", TrialConfig.model_fields)
def test_every_field_of_a_trial_is_found_in_its_config_and_a_column_says_the_same(
    row: dict[str, Any], folder: TrialFolder, field: str
) -> None:
    config = folder.read_config()
    value = getattr(config, field)
    assert json.loads(row["config"])[field] == config.model_dump(mode="json")[field]
    if field in row:
        assert row[field] == AS_USED.get(field, str(value) if isinstance(value, Choice) else value)


#: Of a result, what has a table of its own or is not in results.db.
ELSEWHERE = {"epochs", "layers", "logits", "initial_weights"}


@pytest.mark.parametrize("field", [field for field in TrialResult.model_fields if field not in ELSEWHERE])
def test_every_field_of_a_result_is_a_column(row: dict[str, Any], field: str) -> None:
    assert field in row


@pytest.mark.parametrize(("table", "record"), [("epochs", Epoch), ("layers", Layer)])
def test_every_field_of_what_a_trial_has_many_of_is_a_column_of_its_table(
    database: Path, table: str, record: type[Epoch | Layer]
) -> None:
    with reading(database) as connection:
        assert query(connection, f"from {table}").columns == ["trial_id", *record.model_fields]
