"""What results.db has to list: sweeps with how far they are, and trials."""

from typing import Any

from autoreg.config.sweep import load_definition
from autoreg.database.connection import query
from autoreg.database.schema import Connection
from autoreg.errors import ConfigError


def sweep_status(connection: Connection) -> list[dict[str, Any]]:
    """Return one dict for each sweep in results.db: how many of its trials are done, measured and failed."""
    rows = query(connection, "select * from sweep_status order by updated_at").to_dicts()
    for row in rows:
        try:
            sweep = load_definition(row.pop("definition"))
        except ConfigError:  # of another version
            row["final_trials"] = row["tuning_trials"] = None
        else:
            row["final_trials"], row["tuning_trials"] = sweep.final_count, sweep.tuning_count
    return rows


def trial_rows(connection: Connection) -> list[dict[str, Any]]:
    """Return one dict for each trial in results.db."""
    columns = "trial_id, kind, network, width, initializer, learning_rate, batch_size, replicate, status, test_accuracy"
    return query(connection, f"select {columns} from trials order by network, width, kind, trial_id").to_dicts()
