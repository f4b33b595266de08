"""What results.db has to list: sweeps with how far they are, and trials."""

from typing import Any

from autoreg.config.sweep import load_definition
from autoreg.database.connection import path_of, query
from autoreg.database.schema import Connection
from autoreg.errors import ConfigError, did_you_mean


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


def chosen_sweeps(connection: Connection, sweep: str | None) -> list[str]:
    """Return the ids of the sweep of that id, of the latest one of that name, or for None of the latest of each name.

    Raises:
        ConfigError: there is no such sweep.
    """
    sql = """
        select sweep_id
        from sweeps
        where
            sweep_id = $sweep
            or ($sweep is null or name = $sweep) and sweep_id in (select sweep_id from latest_sweeps)
        order by updated_at
    """
    ids: list[str] = query(connection, sql, sweep=sweep)["sweep_id"].to_list()
    if sweep is not None and not ids:
        names = query(connection, "select name from latest_sweeps")["name"]
        raise ConfigError(f"no sweep {sweep!r} in {path_of(connection)}{did_you_mean(sweep, names)}")
    return ids


def trial_rows(connection: Connection) -> list[dict[str, Any]]:
    """Return one dict for each trial in results.db."""
    columns = "trial_id, kind, network, width, initializer, learning_rate, batch_size, replicate, status, test_accuracy"
    return query(connection, f"select {columns} from trials order by network, width, kind, trial_id").to_dicts()
