"""Rows of results.db from files of the run folder; every insertion can be done again without adding anything."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl

from autoreg.config import TrialConfig, canonical_json
from autoreg.errors import DataError, first_line
from autoreg.records import SweepRecord, TrialResult
from autoreg.runs import TrialFolder

Connection = duckdb.DuckDBPyConnection

TABLES_SQL = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")
TABLES = re.findall(r"create table if not exists (\w+)", TABLES_SQL)


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
    """Write what a trial's folder holds and the database does not, in one transaction.

    Raises:
        DataError: a file of the trial is damaged; nothing of the trial is written then.
    """
    config, result = folder.read_config(), folder.read_result()
    trial_id = config.trial_id
    with transaction(connection):
        known = connection.execute("select finished_at from trials where trial_id = ?", [trial_id]).fetchone()
        if known and known[0] != utc(result.finished_at):  # it was trained again: its rows are replaced
            _delete_trial(connection, trial_id)
            known = None
        if not known:
            _insert_trial(connection, config, result)
        there = connection.execute("select measurement_id from measurements where trial_id = ?", [trial_id])
        ids = {row[0] for row in there.fetchall()}
        for path in folder.measurement_paths():
            if measurement_id_of(path) not in ids:
                _insert_measurement(connection, trial_id, path)


def known_trials(connection: Connection) -> dict[str, tuple[datetime, frozenset[str]]]:
    """Return, for every trial in the database, when it was finished (UTC) and the ids of its measurements."""
    rows = connection.execute(
        "select trial_id, finished_at, list(measurement_id) filter (measurement_id is not null) "
        "from trials left join measurements using (trial_id) group by all"
    )
    return {trial_id: (finished_at, frozenset(ids or ())) for trial_id, finished_at, ids in rows.fetchall()}


def measurement_id_of(path: Path) -> str:
    """Return the id of a measurement from the name of its file."""
    return path.stem.rpartition("-")[2]


def _delete_trial(connection: Connection, trial_id: str) -> None:
    tables = connection.execute(
        "select table_name from duckdb_columns() where column_name = 'measurement_id' and not internal"
        " and table_name in (select table_name from duckdb_tables() where not temporary)"
        " and table_name <> 'sweep_measurements'"
    )
    for table in ["trials", "epochs", "layers", *(name for (name,) in tables.fetchall())]:
        connection.execute(f"delete from {_identifier(table)} where trial_id = ?", [trial_id])


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
        "finished_at": utc(result.finished_at),
        "config": canonical_json(config),
        "environment": canonical_json(result.environment),
    }
    names, marks = ", ".join(row), ", ".join("?" for _ in row)
    connection.execute(f"insert into trials ({names}) values ({marks})", list(row.values()))
    for table, records in (("epochs", result.epochs), ("layers", result.layers)):
        if records:
            frame = pl.DataFrame([record.model_dump() for record in records], infer_schema_length=None)
            frame = frame.with_columns(pl.lit(config.trial_id).alias("trial_id"))
            with _registered(connection, frame):
                connection.execute(f"insert into {table} by name select * from new_rows")


@contextmanager
def _registered(connection: Connection, frame: pl.DataFrame) -> Iterator[None]:
    """Let SQL read a frame as `new_rows`."""
    connection.register("new_rows", frame.to_arrow())
    try:
        yield
    finally:
        with suppress(duckdb.Error):  # in a transaction that failed, whose error says more
            connection.unregister("new_rows")


def utc(text: str) -> datetime:
    """Return a time of the run folder as results.db has it: UTC, without saying so.

    DuckDB hands out times with a zone through pytz, which a user need not have.
    """
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
    "ablation": ["insert into ablation by name select $trial as trial_id, $id as measurement_id, * from new_rows"],
    "similarity": [
        """
        insert into units by name
        select $trial as trial_id, $id as measurement_id, split, layer, sample,
            unnest(range(len("similar"))) as unit, unnest("similar") as "similar",
            unnest(strongest) as strongest, unnest(dead) as dead
        from new_rows
        """,
        """
        insert into correlations by name
        select * exclude (bin, bins), bin / bins as bin_low, (bin + 1) / bins as bin_high
        from (
            select $trial as trial_id, $id as measurement_id, split, layer, sample, len(pairs) as bins,
                unnest(range(len(pairs))) as bin, unnest(pairs) as pairs
            from new_rows
        )
        where pairs > 0
        """,
    ],
}


def _insert_measurement(connection: Connection, trial_id: str, path: Path) -> None:
    name, _, measurement_id = path.stem.rpartition("-")
    table = _identifier(name.replace(".", "_"))
    if name not in _INSERTS and table.strip('"').lower() in _OWN_NAMES:
        raise DataError(f"{path}: {name} is a table of autoreg's own, not a metric's")
    try:
        facts, frame = pl.read_parquet_metadata(path), pl.read_parquet(path)
        about = [facts["metric"], int(facts["version"]), facts["split"], facts["options"]]
    except (pl.exceptions.PolarsError, OSError, KeyError, ValueError) as error:
        advice = "remove it to have the trial measured again"
        raise DataError(f"{path} is damaged; {advice} ({first_line(error)})") from error
    source = "select $trial as trial_id, $id as measurement_id, * from new_rows"
    try:
        with _registered(connection, frame):
            if name not in _INSERTS:
                shape = source.replace("$trial", "''").replace("$id", "''")
                connection.execute(f"create table if not exists {table} as {shape} limit 0")
            for statement in _INSERTS.get(name, [f"insert into {table} by name {source}"]):
                connection.execute(statement, {"trial": trial_id, "id": measurement_id})
        connection.execute("insert into measurements values (?, ?, ?, ?, ?, ?)", [trial_id, measurement_id, *about])
    except (duckdb.ProgrammingError, duckdb.DataError, duckdb.IntegrityError) as error:
        raise DataError(f"{path} does not fit its table in results.db: {first_line(error)}") from error


#: What no metric may bear the name of, in lower case, since DuckDB makes no difference.
_OWN_NAMES = {"new_rows", "published", *TABLES}


def _identifier(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise DataError(f"a table needs a plain name, got {name!r}")
    return f'"{name}"'


def replace_sweep(connection: Connection, record: SweepRecord) -> None:
    """Write what a sweep asked for, in place of what was known of it, in one transaction."""
    with transaction(connection):
        for table in ("sweeps", *_SWEEP_TABLES):
            connection.execute(f"delete from {table} where sweep_id = ?", [record.sweep_id])
        connection.execute(
            "insert into sweeps values (?, ?, ?, ?, ?)",
            [record.sweep_id, record.name, record.figures, json.dumps(record.definition), utc(record.updated_at)],
        )
        for table in _SWEEP_TABLES:
            rows = [{"sweep_id": record.sweep_id, **item.model_dump()} for item in getattr(record, table)]
            if rows:
                with _registered(connection, pl.DataFrame(rows, infer_schema_length=None)):
                    connection.execute(f"insert into {table} by name select * from new_rows")


_SWEEP_TABLES = ("sweep_groups", "sweep_trials", "sweep_measurements")
