"""Records of the run folder, from plain dicts."""

from typing import Any

from autoreg.runs.folder import Runs
from autoreg.runs.records import SweepRecord


def write_record(runs: Runs, record: dict[str, Any]) -> None:
    """Write what a sweep asked for into the run folder."""
    runs.write_sweep(SweepRecord.model_validate(record))
