"""Rows of results.db from files of the run folder; every insertion can be done again without adding anything."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from autoreg.config import TrialConfig, canonical_json
from autoreg.errors import DatabaseError
from autoreg.runs import TrialFolder, TrialResult

Connection = duckdb.DuckDBPyConnection


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Commit what is done inside, or nothing of it."""
    connection.execute("begin")
    try:
        yield
    except BaseException:
        with suppress(duckdb.Error):
            connection.execute("rollback")
        raise
    connection.execute("commit")


def bring_in(connection: Connection, folder: TrialFolder) -> None:
    """Write what a trial's folder holds and the database does not, in one transaction."""
    config, result = folder.read_config(), folder.read_result()
    with transaction(connection):
        known = connection.execute(
            "select finished_at = ? from trials where trial_id = ?", [_utc(result.finished_at), config.trial_id]
        ).fetchone()
        if known and not known[0]:  # a failed trial was tried again: its rows are replaced
            for table in ("trials", "epochs", "layers"):
                connection.execute(f"delete from {table} where trial_id = ?", [config.trial_id])
        if not (known and known[0]):
            _insert_trial(connection, config, result)
        there = connection.execute("select measurement_id from measurements where trial_id = ?", [config.trial_id])
        ids = {row[0] for row in there.fetchall()}
        for path in folder.measurement_paths():
            if path.stem.rpartition("-")[2] not in ids:
                _insert_measurement(connection, config.trial_id, path)


def _insert_trial(connection: Connection, config: TrialConfig, result: TrialResult) -> None:
    plain = {name: getattr(config, name) for name in _CONFIG_COLUMNS}
    choices = {name: str(getattr(config, name)) for name in ("network", "dataset", "initializer", "optimizer")}
    outcome = result.model_dump(exclude={"epochs", "layers", "environment"})
    row = {
        "trial_id": config.trial_id,
        "config_id": config.config_id,
        **plain,
        **choices,
        "learning_rate": config.effective_learning_rate,
        "batch_size": config.effective_batch_size,
        **outcome,
        "finished_at": _utc(result.finished_at),
        "config": canonical_json(config),
        "environment": canonical_json(result.environment),
    }
    names, marks = ", ".join(row), ", ".join("?" for _ in row)
    connection.execute(f"insert into trials ({names}) values ({marks})", list(row.values()))
    for table, records in (("epochs", result.epochs), ("layers", result.layers)):
        if records:
            frame = pl.DataFrame([record.model_dump() for record in records], infer_schema_length=None)
            frame = frame.with_columns(pl.lit(config.trial_id).alias("trial_id"))
            connection.register("new_rows", frame.to_arrow())
            connection.execute(f"insert into {table} by name select * from new_rows")
            connection.unregister("new_rows")


def _utc(text: str) -> datetime:
    # Naive: DuckDB hands out times with a zone through pytz, which a user need not have.
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


_CONFIG_COLUMNS = (
    "kind",
    "width",
    "augmentation",
    "dropout",
    "weight_decay",
    "random_labels",
    "lr_batch_factor",
    "replicate",
)

#: How a metric's file becomes rows. A metric that is not named here gets a table of its own with the file's columns.
_INSERTS = {
    "ablation": [
        "insert into ablation by name select $trial as trial_id, $id as measurement_id, * from read_parquet($path)"
    ],
    "similarity": [
        """
        insert into units by name
        select $trial as trial_id, $id as measurement_id, split, layer, sample,
            unnest(range(len("similar"))) as unit, unnest("similar") as "similar",
            unnest(strongest) as strongest, unnest(dead) as dead
        from read_parquet($path)
        """,
        """
        insert into correlations by name
        select * exclude (bin, bins), bin / bins as bin_low, (bin + 1) / bins as bin_high
        from (
            select $trial as trial_id, $id as measurement_id, split, layer, sample, len(pairs) as bins,
                unnest(range(len(pairs))) as bin, unnest(pairs) as pairs
            from read_parquet($path)
        )
        where pairs > 0
        """,
    ],
}


def _insert_measurement(connection: Connection, trial_id: str, path: Path) -> None:
    name, _, measurement_id = path.stem.rpartition("-")
    try:
        facts = pl.read_parquet_metadata(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DatabaseError(f"{path} is damaged; remove it to have the trial measured again ({error})") from error
    parameters = {"trial": trial_id, "id": measurement_id, "path": str(path)}
    if name in _INSERTS:
        statements = _INSERTS[name]
    else:
        table = _identifier(name)
        source = "select $trial as trial_id, $id as measurement_id, * from read_parquet($path)"
        shape = source.replace("$trial", "''").replace("$id", "''").replace("$path", _literal(path))
        connection.execute(f"create table if not exists {table} as {shape} limit 0")
        statements = [f"insert into {table} by name {source}"]
    for statement in statements:
        connection.execute(statement, parameters)
    connection.execute(
        "insert into measurements values (?, ?, ?, ?, ?, ?)",
        [trial_id, measurement_id, facts["metric"], int(facts["version"]), facts["split"], facts["options"]],
    )


def _identifier(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", name):
        raise DatabaseError(f"a metric's table needs a plain name, got {name!r}")
    return f'"{name.replace(".", "_")}"'


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def replace_sweep(connection: Connection, record: dict[str, Any]) -> None:
    """Write what a sweep asked for, in place of what was known of it, in one transaction."""
    sweep_id = record["sweep_id"]
    with transaction(connection):
        for table in ("sweeps", "sweep_groups", "sweep_trials", "sweep_measurements"):
            connection.execute(f"delete from {table} where sweep_id = ?", [sweep_id])
        connection.execute(
            "insert into sweeps values (?, ?, ?, ?, ?)",
            [sweep_id, record["name"], record["figures"], json.dumps(record["definition"]), _utc(record["updated_at"])],
        )
        for table in ("sweep_groups", "sweep_trials", "sweep_measurements"):
            rows = [{"sweep_id": sweep_id, **item} for item in record.get(table, [])]
            if rows:
                connection.register("new_rows", pl.DataFrame(rows, infer_schema_length=None).to_arrow())
                connection.execute(f"insert into {table} by name select * from new_rows")
                connection.unregister("new_rows")
