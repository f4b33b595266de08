"""A metric is a file and its SQL: a third one is added to a copy of the package by adding files only."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import autoreg
from autoreg.config.trial import TrialConfig
from autoreg.packaged import packaged_folder

METRIC = '''"""Silent units: how often a unit's activation is zero."""

import polars as pl

from autoreg.metrics.metric import metric


@metric(version=1)
def silence(network, dataset, split, replicate, *, below: float = 1e-6):
    """Return one row for each layer: the share of activations of each unit that are next to nothing."""
    inputs, _ = next(dataset.batches(split))
    shares = {layer: (values.abs() < below).double().mean(0) for layer, values in network.walk(inputs)}
    rows = [(layer, silent.flatten().tolist()) for layer, silent in shares.items()]
    return pl.DataFrame(rows, schema=["layer", "silent"], orient="row")
'''
SQL = """-- One row for each unit.
create table if not exists silent_units (
    trial_id varchar not null,  -- the trial
    measurement_id varchar not null,  -- the measurement
    split varchar not null,  -- train, validation or test
    layer varchar not null,  -- by name
    unit integer not null,  -- from 0
    silent double not null  -- share of activations
);

insert into silent_units by name
select trial_id, measurement_id, split, layer, unnest(range(len(silent))) as unit, unnest(silent) as silent
from new_rows;
"""
VIEW = """-- Share of activations that are nothing, mean over the units of each layer.
-- grain: sweep_id, trial_id, split, layer
select sweep_id, trial_id, split, layer, avg(silent) as silent
from asked_measurements
join silent_units using (trial_id, measurement_id)
group by all
"""
CODE = """
import sys
from pathlib import Path

import autoreg
from autoreg.config.trial import TrialConfig
from autoreg.database.connection import query, reading
from autoreg.database.writer import rebuild
from autoreg.metrics.measure import measure_trial, measurements_of
from autoreg.report.trial import trial_details
from autoreg.runs.folder import Runs
from autoreg.runs.records import SweepRecord
from autoreg.training.loop import train_trial

assert autoreg.__file__.startswith(sys.argv[1]), autoreg.__file__
config, runs, database = TrialConfig.model_validate_json(sys.argv[2]), Runs(Path("runs")), Path("results.db")
rebuild(database, runs)
with reading(database) as connection:
    assert query(connection, "from silence_by_layer").height == 0, "the view is there before any trial is"
folder = runs.trial(config.trial_id)
train_trial(config, folder)
[asked] = measurements_of("silence", {"below": 0.001}, ["test"])
measure_trial(folder, [asked])
runs.write_sweep(SweepRecord.model_validate({
    "sweep_id": "0" * 16, "name": "silent", "figures": [], "definition": {}, "updated_at": "2026-01-01T00:00:00+00:00",
    "sweep_groups": [],
    "sweep_trials": [{"trial_id": config.trial_id, "group_id": config.config_id, "kind": "final"}],
    "sweep_measurements": [{"metric": "silence", "split": "test", "measurement_id": asked.measurement_id}],
}))
assert rebuild(database, runs) == (1, [])
with reading(database) as connection:
    [row] = query(connection, "from silence_by_layer").to_dicts()
    assert row["layer"] == "hidden" and 0 < row["silent"] < 1, row
    assert query(connection, "from silent_units").height == 32
    [comment] = query(connection, "select comment from duckdb_tables() where table_name = 'silent_units'")["comment"]
    assert comment == "One row for each unit."
assert trial_details(runs, config.trial_id)["scores"] == [], "it has no score of a layer yet"
trial = autoreg.load_trial(config.trial_id)
measured = autoreg.measure_model(trial.network, trial.dataset.test.inputs)
assert set(measured.rows) == {"ablation", "silence", "similarity"}
print("all rows came through")
"""


def test_a_metric_is_added_by_files_alone(tmp_path: Path, config: Callable[..., TrialConfig]) -> None:
    copy = tmp_path / "copy"
    for name in ("analysis_sql", "reference", "sweeps"):
        shutil.copytree(packaged_folder(name), copy / name)
    shutil.copytree(Path(autoreg.__file__).parent, copy / "autoreg", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "autoreg" / "metrics" / "silence.py").write_text(METRIC)
    (copy / "autoreg" / "metrics" / "silence.sql").write_text(SQL)
    (copy / "analysis_sql" / "metrics" / "silence_by_layer.sql").write_text(VIEW)
    trial = config(epochs=1).model_dump_json()
    ended = subprocess.run(
        [sys.executable, "-P", "-c", CODE, str(copy), trial],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(copy)}, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.stdout == "all rows came through\n", ended.stderr
