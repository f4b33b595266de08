"""Records of the run folder, from plain dicts."""

import json
from typing import Any

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
