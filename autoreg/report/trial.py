"""One trial of the run folder: what it is, how it ended, its scores and its log."""

from typing import Any

from autoreg.database.scores import layer_scores
from autoreg.errors import DataError
from autoreg.runs.folder import Runs


def trial_details(runs: Runs, wanted: str) -> dict[str, Any]:
    """Return what the run folder has of a trial.

    Args:
        runs: the run folder.
        wanted: the trial's id, or the beginning of it if no other trial has the same.

    Returns:
        The sections `config`, `result` without the epochs, `environment`, `epochs` and `layers` (rows), `scores` (a row
        for each split, definition and layer; empty if it is not measured) and `files` (bytes by path).

    Raises:
        ConfigError: there is no such trial, or more than one.
        DataError: its files are damaged.
    """
    folder = runs.find(wanted)
    result = folder.read_result().model_dump(mode="json") if folder.is_trained else {}
    return {
        "config": {"trial_id": folder.trial_id, **folder.read_config().model_dump(mode="json")},
        "epochs": result.pop("epochs", []),
        "layers": result.pop("layers", []),
        "environment": result.pop("environment", {}),
        "result": result,
        "scores": layer_scores(folder).to_dicts() if folder.is_trained else [],
        "files": {
            str(path.relative_to(folder.path)): path.stat().st_size
            for path in sorted(folder.path.rglob("*"))
            if path.is_file()
        },
    }


def trial_log(runs: Runs, wanted: str) -> str:
    """Return the log of a trial.

    Args:
        runs: the run folder.
        wanted: the trial's id, or the beginning of it if no other trial has the same.

    Raises:
        ConfigError: there is no such trial, or more than one.
        DataError: it has no log.
    """
    path = runs.find(wanted).log_path
    if not path.is_file():  # of an earlier version, or planted
        raise DataError(f"{path} does not exist; a sweep writes it when it trains or measures the trial")
    return path.read_text(encoding="utf-8", errors="replace")
