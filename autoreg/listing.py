"""What there is: the sweeps in results.db with how far they are, trials, and one trial in the run folder."""

import difflib
from pathlib import Path
from typing import Any

from autoreg.database import open_for_reading, query
from autoreg.errors import ConfigError
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
            raise ConfigError(f"{len(found)} trials begin with {wanted!r}: {', '.join(found[:5])}")
        near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.3) or known[:3]
        there_are = f"{len(known)} trials, such as {', '.join(near)}" if known else "no trials"
        raise ConfigError(f"no trial {wanted!r} in {runs.root}, which has {there_are}")
    return runs.trial(found[0])


def trial_details(runs: Runs, wanted: str) -> dict[str, dict[str, Any]]:
    """Return what the run folder has of a trial: its configuration, its result without the epochs, its files in bytes.

    Args:
        runs: the run folder.
        wanted: the trial's id, or the beginning of it if no other trial has the same.

    Raises:
        ConfigError: there is no such trial, or more than one.
        DataError: its files are damaged.
    """
    folder = find_trial(runs, wanted)
    config = {"trial_id": folder.trial_id, **folder.read_config().model_dump(mode="json")}
    result = folder.read_result().model_dump(mode="json", exclude={"epochs"}) if folder.is_trained else {}
    files = {
        str(path.relative_to(folder.path)): path.stat().st_size
        for path in sorted(folder.path.rglob("*"))
        if path.is_file()
    }
    return {"config": config, "result": result, "files (bytes)": files}
