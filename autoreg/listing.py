"""What there is: the sweeps in results.db with how far they are, trials, and one trial in the run folder."""

import difflib
from pathlib import Path
from typing import Any

import polars as pl

from autoreg.database import open_for_reading, query
from autoreg.errors import ConfigError, DataError, first_line
from autoreg.measures import Measures
from autoreg.runs import Runs, TrialFolder
from autoreg.sweep import load_definition


def sweep_status(database: Path) -> list[dict[str, Any]]:
    """Return one dict for each sweep in results.db: how many of its trials are done, measured and failed."""
    connection = open_for_reading(database)
    try:
        rows = query(connection, "select * from sweep_status order by updated_at").to_dicts()
    finally:
        connection.close()
    for row in rows:
        try:
            sweep = load_definition(row.pop("definition"))
        except ConfigError:  # of another version
            row["final_trials"] = row["tuning_trials"] = None
        else:
            row["final_trials"], row["tuning_trials"] = sweep.final_count, sweep.tuning_count
    return rows


def trial_rows(database: Path) -> list[dict[str, Any]]:
    """Return one dict for each trial in results.db."""
    columns = "trial_id, kind, network, width, initializer, learning_rate, batch_size, replicate, status, test_accuracy"
    connection = open_for_reading(database)
    try:
        return query(connection, f"select {columns} from trials order by network, width, kind, trial_id").to_dicts()
    finally:
        connection.close()


def find_trial(runs: Runs, wanted: str) -> TrialFolder:
    """Return the folder of a trial by its id, or by the beginning of it if no other trial has the same.

    Raises:
        ConfigError: there is no such trial, or more than one.
    """
    known = sorted(path.parent.name for path in runs.root.glob("*-r*/config.json"))
    found = [trial_id for trial_id in known if trial_id == wanted] or [
        trial_id for trial_id in known if trial_id.startswith(wanted)
    ]
    if len(found) != 1:
        if found:
            raise ConfigError(f"{len(found)} trials begin with {wanted!r}, give more of it: {', '.join(found[:5])}")
        near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.3) or known[:3]
        there_are = f"{len(known)} trials, such as {', '.join(near)}" if known else "no trials; name another folder"
        raise ConfigError(f"no trial {wanted!r} in {runs.root}, which has {there_are}")
    return runs.trial(found[0])


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
    folder = find_trial(runs, wanted)
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
    path = find_trial(runs, wanted).log_path
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
