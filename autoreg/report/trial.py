"""One trial of the run folder: what it is, how it ended, its scores and its log."""

from typing import Any

import polars as pl

from autoreg.database.scores import Measures
from autoreg.errors import DataError, first_line
from autoreg.runs.folder import Runs, TrialFolder


def trial_details(runs: Runs, wanted: str) -> dict[str, Any]:
    """Return what the run folder has of a trial.

    Args:
        runs: the run folder.
        wanted: the trial's id, or the beginning of it if no other trial has the same.

    Returns:
        The sections `config`, `result` without the epochs, `environment`, `epochs` and `layers` (rows), `scores` (a row
        for each layer and split, as released and as text; empty if it is not measured) and `files` (bytes by path).

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
        "scores": _scores(folder),
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


def _scores(folder: TrialFolder) -> list[dict[str, Any]]:
    """Return a trial's scores by split, definition and layer, of the measurements whose files are there."""
    found: dict[tuple[str, str], pl.DataFrame] = {}
    for path in folder.measurement_paths():
        try:
            frame = pl.read_parquet(path)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(f"{path} is damaged ({first_line(error)}); remove it to have it measured again") from error
        if "split" in frame.columns and frame.height:
            found[path.stem.rpartition("-")[0], frame["split"][0]] = frame
    rows = []
    for split in sorted({split for _, split in found}):
        if ("ablation", split) in found and ("similarity", split) in found:
            measures = Measures(found["ablation", split].drop("split"), found["similarity", split].drop("split"))
            for definition in ("released", "text"):
                by_layer = measures.by_layer(definition).select(
                    pl.lit(split).alias("split"), pl.lit(definition).alias("definition"), "*"
                )
                rows += by_layer.to_dicts()
    return rows
