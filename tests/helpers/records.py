"""Records of the run folder, from plain dicts."""

import json
from typing import Any

import polars as pl

from autoreg.config.trial import measurement_id
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.records import SweepRecord


def write_record(runs: Runs, record: dict[str, Any]) -> None:
    """Write what a sweep asked for into the run folder."""
    runs.write_sweep(SweepRecord.model_validate(record))


def plant_result(folder: TrialFolder, **changes: Any) -> None:
    """Change fields of a trial's result, which has no digest then, as those of the first versions."""
    result = json.loads(folder.result_path.read_text())
    del result["digest"], result["trial_id"]
    folder.result_path.write_text(json.dumps({**result, **changes}))


def add_movement(folder: TrialFolder) -> dict[str, str]:
    """Add a measurement of how far weights moved, of numbers that a person can check; return what a sweep asks for.

    The weights of conv are two maps; those of output began at 0.
    """
    rows = [
        ("conv", ["conv.0", "conv.1"], [3.0, 4.0], [2.0, 1.0], [4.0, 2.0], 2, 0.5, 0, 1),
        ("full", ["full.0"], [1.0], [2.0], [4.0], 2, 1.5, 0, 0),
        ("output", ["output"], [0.0], [None], [None], None, None, None, None),
    ]
    columns = "layer map initial_norm movement spectral_movement units activation_change constant_before constant_after"
    frame = pl.DataFrame(rows, schema=columns.split(), orient="row").with_columns(split=pl.lit("test"))
    identity = measurement_id("movement", 1, "test", {})
    facts = {"metric": "movement", "version": "1", "split": "test", "options": "{}"}
    frame.write_parquet(folder.measurement_path("movement", identity), metadata=facts)
    return {"metric": "movement", "split": "test", "measurement_id": identity}
