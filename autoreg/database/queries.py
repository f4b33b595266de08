"""What results.db has to list: sweeps with how far they are, and trials."""

from pathlib import Path
from typing import Any

from autoreg.config.sweep import load_definition
from autoreg.database.connection import open_for_reading, query
from autoreg.errors import ConfigError


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
