"""The file of a measurement says whose it is, and is taken only there and as it was written."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from autoreg.config.trial import measurement_id
from autoreg.database.verify import verify
from autoreg.database.writer import rebuild
from autoreg.errors import DataError
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.measurements import read_measurement, write_measurement
from tests.conftest import ablation_rows

MakeTrial = Callable[..., TrialFolder]
FACTS = {"metric": "ablation", "version": "1", "split": "test", "options": "{}"}


def written(folder: TrialFolder, frame: pl.DataFrame, **facts: str) -> Path:
    path = folder.measurement_path("ablation", measurement_id("ablation", 1, "test", {}))
    write_measurement(path, frame, {**FACTS, **facts})
    return path


def test_a_measurement_is_read_back(trial: MakeTrial) -> None:
    path, frame = written(trial(), ablation_rows((1.0, 0.5))), ablation_rows((1.0, 0.5))
    facts, rows = read_measurement(path)
    assert facts == {**FACTS, "version": 1}
    assert rows.equals(frame)
    assert pl.read_parquet(path).equals(frame), "it is plain Parquet"


def test_every_changed_byte_is_found(trial: MakeTrial) -> None:
    path = written(trial(), pl.DataFrame({"layer": ["conv"], "share": [0.25]}))
    content = path.read_bytes()
    digest = re.search(rb"blake2b:[0-9a-f]{32}", content)
    assert digest
    for place in {*range(len(content))} - {*range(digest.start(), digest.start() + 8)}:
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(DataError, match="is damaged; remove it"):
            read_measurement(path)


def test_options_that_nest_without_end_are_damage(trial: MakeTrial) -> None:
    with pytest.raises(DataError, match="is damaged; remove it"):
        read_measurement(written(trial(), ablation_rows((1.0, 0.5)), options="[" * 100_000))


def test_a_measurement_of_another_trial_or_metric_is_named_by_rebuild_and_verify(
    runs: Runs, trial: MakeTrial, tmp_path: Path
) -> None:
    mine, other = trial(), trial(replicate=1)
    path, strange = (written(folder, ablation_rows(unchanged)) for folder, unchanged in
                     ((mine, (1.0, 0.5)), (other, (1.0, 0.2))))  # fmt: skip
    rebuild(tmp_path / "results.db", runs)
    assert verify(tmp_path / "results.db", runs) == []
    shutil.copy(strange, path)
    [line, *_] = verify(tmp_path / "results.db", runs)
    assert f"is of trial {other.trial_id}, not of {mine.trial_id}" in line
    count, [problem] = rebuild(tmp_path / "results.db", runs)
    assert (count, problem) == (1, line)
    path.rename(path.with_name(path.name.replace("ablation", "similarity")))
    written(mine, ablation_rows((1.0, 0.5))).rename(path.with_name(f"similarity-{'0' * 16}.parquet"))
    with pytest.raises(DataError, match="has rows of the metric ablation, which its name does not say"):
        read_measurement(path.with_name(f"similarity-{'0' * 16}.parquet"))


@pytest.mark.parametrize(
    ("version", "split", "options"), [(2, "test", {}), (1, "train", {}), (1, "test", {"samples": 2})]
)
def test_the_file_of_another_measurement_of_the_same_trial_is_refused(
    trial: MakeTrial, version: int, split: str, options: dict[str, Any]
) -> None:
    folder = trial()
    identity = measurement_id("ablation", version, split, options)
    other = written(folder, ablation_rows((1.0, 0.2)), version=str(version), split=split, options=json.dumps(options))
    right = other.rename(folder.measurement_path("ablation", identity))
    assert read_measurement(right)[1].height > 0
    shutil.copy(right, other)
    with pytest.raises(DataError, match=f"of another measurement .version {version}, split {split}, options .*remove"):
        read_measurement(other)


@pytest.mark.parametrize("column", ["unchanged", "accuracy", "fraction"])
def test_a_share_above_1_is_no_measurement(runs: Runs, trial: MakeTrial, tmp_path: Path, column: str) -> None:
    written(trial(), ablation_rows((1.0, 0.5)).with_columns(pl.lit(1.5).alias(column)))
    count, [problem] = rebuild(tmp_path / "results.db", runs)
    assert count == 0
    assert "does not fit its table" in problem


def test_a_measurement_of_the_first_versions_has_no_digest(trial: MakeTrial) -> None:
    [path, _] = trial().measurement_paths()
    facts: dict[str, Any] = pl.read_parquet_metadata(path)
    assert "digest" not in facts
    assert read_measurement(path)[1].height > 0
