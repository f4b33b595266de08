"""Rows of results.db from files of the run folder; every insertion can be done again without adding anything."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from autoreg.config.trial import Choice, TrialConfig, canonical_json
from autoreg.database import schema
from autoreg.database.custom import Connection, quoted, table_of, view_of
from autoreg.database.custom import measured as custom_metrics
from autoreg.database.foreign import foreign
from autoreg.errors import ConfigError, DataError, first_line
from autoreg.runs.folder import TrialFolder
from autoreg.runs.measurements import digest_of, read_measurement
from autoreg.runs.records import SweepRecord, TrialResult


def bring_in(connection: Connection, folders: Sequence[TrialFolder]) -> None:
    """Write what the folders of some trials hold and the database does not, in one transaction.

    Raises:
        DataError: a file of one of them is damaged; nothing of any is written then.
    """
    trials = {folder.trial_id: (folder, folder.read_config(), folder.read_result()) for folder in folders}
    ids = list(trials)
    with schema.transaction(connection):
        there = "select trial_id, finished_at from trials where trial_id in (select unnest(?))"
        known = dict(connection.execute(there, [ids]).fetchall())
        again = [trial_id for trial_id in known if known[trial_id] != utc(trials[trial_id][2].finished_at)]
        if again:  # they were trained again: their rows are replaced
            _delete_trials(connection, again)
        new = [trials[trial_id][1:] for trial_id in ids if trial_id not in known or trial_id in again]
        if new:
            insert(connection, "trials", [_trial_row(config, result) for config, result in new])
            for table in ("epochs", "layers"):
                records = (
                    {"trial_id": config.trial_id, **record.model_dump()}
                    for config, result in new
                    for record in getattr(result, table)
                )
                insert(connection, table, list(records))
        there = "select trial_id, measurement_id, digest from measurements where trial_id in (select unnest(?))"
        measured = {row[:2]: row[2] for row in connection.execute(there, [ids]).fetchall()}
        missing: dict[str, list[Path]] = {}
        changed: list[tuple[str, str]] = []
        for trial_id, (folder, _, _) in trials.items():
            for path in folder.measurement_paths():
                key = trial_id, measurement_id_of(path)
                if measured.get(key, "") != digest_of(path):
                    missing.setdefault(path.stem.rpartition("-")[0], []).append(path)
                    changed += [key] if key in measured else []
        _delete_measurements(connection, changed)
        for metric, paths in missing.items():
            _insert_measurements(connection, metric, paths)


def known_trials(connection: Connection) -> dict[str, tuple[datetime, frozenset[tuple[str, str | None]]]]:
    """Return of every trial in the database when it was finished (UTC), and id and digest of its measurements."""
    rows = connection.execute(
        "select trial_id, finished_at, list((measurement_id, digest)) filter (measurement_id is not null) "
        "from trials left join measurements using (trial_id) group by all"
    )
    return {trial_id: (finished_at, frozenset(known or ())) for trial_id, finished_at, known in rows.fetchall()}


def measurement_id_of(path: Path) -> str:
    """Return the id of a measurement from the name of its file."""
    return path.stem.rpartition("-")[2]


def _delete_trials(connection: Connection, ids: list[str]) -> None:
    for table in ("trials", "epochs", "layers", *_measured_tables(connection)):
        connection.execute(f"delete from {quoted(table)} where trial_id in (select unnest(?))", [ids])


def _delete_measurements(connection: Connection, keys: list[tuple[str, str]]) -> None:
    """Delete the rows of some measurements, each by its trial's id and its own."""
    for table in _measured_tables(connection) if keys else ():
        connection.executemany(f"delete from {quoted(table)} where trial_id = ? and measurement_id = ?", keys)


def _measured_tables(connection: Connection) -> list[str]:
    own = (table_of(*metric) for metric in custom_metrics(connection, schema.METRIC_SQL))
    return [*chain(*schema.METRIC_TABLES.values()), *own, "measurements"]


def insert(connection: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    """Write rows, by the names of columns, into a table."""
    if rows:
        with schema.registered(connection, pl.DataFrame(rows, infer_schema_length=None)):
            connection.execute(f"insert into {table} by name select * from new_rows")


def _trial_row(config: TrialConfig, result: TrialResult) -> dict[str, Any]:
    fields = {name: getattr(config, name) for name in _CONFIG_COLUMNS}
    return {
        "trial_id": config.trial_id,
        "config_id": config.config_id,
        **{name: str(value) if isinstance(value, Choice) else value for name, value in fields.items()},
        "learning_rate": config.effective_learning_rate,
        "batch_size": config.effective_batch_size,
        **result.model_dump(exclude={"epochs", "layers", "logits", "initial_weights", "environment"}),
        "finished_at": utc(result.finished_at),
        "config": canonical_json(config),
        "environment": canonical_json(result.environment),
    }


def utc(text: str) -> datetime:
    """Return a time of the run folder as results.db has it: UTC, without saying so.

    DuckDB hands out times with a zone through pytz, which a user need not have.
    """
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


#: What results.db has of a trial's settings under their own names.
_CONFIG_COLUMNS = TrialConfig.model_fields.keys() & {
    column for name, _, columns in schema.described_tables() if name == "trials" for column in columns
}


def _insert_measurements(connection: Connection, metric: str, paths: Sequence[Path]) -> None:
    if metric not in schema.METRIC_SQL:
        name = view_of(metric)
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise DataError(f"{paths[0]}: a table needs a plain name, got {name!r}")
        for what, taken in (("table", _OWN_NAMES), ("view", schema.view_texts())):
            if name.lower() in taken:  # DuckDB makes no difference
                raise DataError(f"{paths[0]}: {metric} is a {what} of autoreg's own, not a metric's")
    measurements, frames = zip(*map(_read_measurement, paths), strict=True)
    if metric not in schema.METRIC_SQL:
        _require_free_names(connection, {measurement["metric"] for measurement in measurements})
    alike: dict[Any, list[pl.DataFrame]] = {}  # by version, columns and types
    for measurement, frame in zip(measurements, frames, strict=True):
        alike.setdefault((measurement["version"], *frame.schema.items()), []).append(frame)
    try:
        insert(connection, "measurements", list(measurements))
        for (version, *_), group in alike.items():
            insert_rows(connection, metric, pl.concat(group), version)
    except (duckdb.ProgrammingError, duckdb.DataError, duckdb.IntegrityError) as error:
        raise DataError(f"{paths[0]} does not fit its table in results.db: {first_line(error)}") from error


def _require_free_names(connection: Connection, metrics: set[str]) -> None:
    known = {metric for metric, _ in custom_metrics(connection, schema.METRIC_SQL)}
    require_own_tables([*known, *sorted(metrics - known)])
    others = (one for one in foreign(connection) if one.schema == "main" and one.kind in ("table", "view"))
    taken = {one.name.lower(): one for one in others}
    for metric in metrics:
        if other := taken.get(view_of(metric).lower()):
            raise DataError(f"results.db has a {other} that is not autoreg's where {metric} has its view; rename it")


def require_own_tables(metrics: Iterable[str]) -> None:
    """Raise ConfigError if two custom metrics have one name in results.db, where capitals make no difference."""
    owners: dict[str, str] = {}
    for metric in metrics:
        other = owners.setdefault(view_of(metric).lower(), metric)
        if other != metric:
            raise ConfigError(
                f"{metric} and {other} have one table in results.db, {view_of(other)}; rename one of them"
            )


def insert_rows(connection: Connection, metric: str, frame: pl.DataFrame, version: int = 1) -> None:
    """Write a metric's rows, with columns trial_id, measurement_id and split, into its tables. Raises duckdb.Error."""
    with schema.registered(connection, frame):
        if metric in schema.METRIC_SQL:
            for statement in schema.statements(schema.METRIC_SQL[metric], duckdb.StatementType.INSERT):
                connection.execute(statement)
        else:  # a metric without SQL has tables of its own with the file's columns
            table = quoted(table_of(metric, version))
            connection.execute(f"create table if not exists {table} as select * from new_rows limit 0")
            _widen(connection, table)
            connection.execute(f"insert into {table} by name select * from new_rows")


def _widen(connection: Connection, table: str) -> None:
    """Give the columns of a table the types that hold its numbers and new ones: 1 of a trial and 0.5 of another."""
    there, both = (
        dict(connection.execute(f"select column_name, column_type from (describe {rows})").fetchall())
        for rows in (f"from {table}", f"(from {table} union all by name from new_rows)")
    )
    for column, kind in there.items():
        # a text beside numbers is a mistake
        if kind != both[column] and (kind == '"NULL"' or "VARCHAR" not in both[column]):
            connection.execute(f"alter table {table} alter {quoted(column)} type {both[column]}")


def _read_measurement(path: Path) -> tuple[dict[str, Any], pl.DataFrame]:
    """Return a measurement's row and the rows of its file, both with the ids that the file's place and name say."""
    ids: dict[str, Any] = {"trial_id": path.parent.parent.name, "measurement_id": measurement_id_of(path)}
    digest = digest_of(path)
    facts, frame = read_measurement(path)
    measurement = {**ids, **facts, "digest": digest}
    if taken := ids.keys() & {column.lower() for column in frame.columns}:
        raise DataError(f"{path} does not fit its table in results.db: {', '.join(sorted(taken))} stands in it already")
    return measurement, frame.select(*(pl.lit(value).alias(name) for name, value in ids.items()), pl.all())


#: What no metric may bear the name of, nor that of a view.
_OWN_NAMES = {"new_rows", *schema.TABLES, *chain(*schema.METRIC_TABLES.values()), *schema.REFERENCE_TABLES}


def replace_sweep(connection: Connection, record: SweepRecord) -> None:
    """Write what a sweep asked for, in place of what was known of it, in one transaction."""
    with schema.transaction(connection):
        for table in ("sweeps", *_SWEEP_TABLES):
            connection.execute(f"delete from {table} where sweep_id = ?", [record.sweep_id])
        connection.execute(
            "insert into sweeps values (?, ?, ?, ?, ?)",
            [record.sweep_id, record.name, record.figures, json.dumps(record.definition), utc(record.updated_at)],
        )
        for table in _SWEEP_TABLES:
            rows = [{"sweep_id": record.sweep_id, **item.model_dump()} for item in getattr(record, table)]
            insert(connection, table, rows)


_SWEEP_TABLES = ("sweep_groups", "sweep_trials", "sweep_measurements")
