"""results.db: the only module that opens it. It is derived from the run folder and can be made again at any time."""

import fcntl
import json
import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from autoreg.config import TrialConfig, canonical_json, content_id
from autoreg.errors import DatabaseError, first_line
from autoreg.packaged import packaged_folder
from autoreg.runs import Runs, TrialFolder, TrialResult, read_json, write_text

SCHEMA_VERSION = 1
#: The newest storage format that the command-line client on PyPI opens.
STORAGE = "v1.5.0"

Connection = duckdb.DuckDBPyConnection


class Locked(Exception):  # noqa: N818
    """Another process holds results.db; what was to be written stays in the queue."""


class Writer:
    """Brings finished trials from the run folder into results.db.

    The file is opened for the length of one commit only, so that a person can open it while a sweep runs. What cannot
    be written because somebody's shell holds it stays queued, and is safe in the run folder meanwhile.
    """

    def __init__(self, path: Path, runs: Runs) -> None:
        self.path = path
        self.runs = runs
        self._trials: dict[str, TrialFolder] = {}
        self._sweeps: set[str] = set()

    def queue_trial(self, folder: TrialFolder) -> None:
        """Have a trial's rows brought up to date by the next commit."""
        self._trials[folder.trial_id] = folder

    def queue_sweep(self, sweep_id: str) -> None:
        """Have a sweep's rows brought up to date by the next commit."""
        self._sweeps.add(sweep_id)

    @property
    def pending(self) -> int:
        """How many trials and sweeps wait to be written."""
        return len(self._trials) + len(self._sweeps)

    def commit(self, patience: float = 0.0) -> bool:
        """Write what is queued, one transaction a trial, and return whether nothing is left.

        Args:
            patience: seconds to wait for another process to let go of the file.

        Raises:
            DatabaseError: the file is damaged or from a newer version.
        """
        if not self.pending:
            return True
        try:
            with _opened_for_writing(self.path, patience) as connection:
                while self._sweeps:
                    _replace_sweep(connection, read_json(self.runs.sweep_path(sorted(self._sweeps)[0])))
                    self._sweeps.discard(sorted(self._sweeps)[0])
                for trial_id, folder in list(self._trials.items()):
                    _bring_in(connection, folder)
                    del self._trials[trial_id]
        except Locked:
            return False
        return True


def rebuild(path: Path, runs: Runs) -> int:
    """Make results.db again from the run folder, replacing what is there, and return the number of trials in it."""
    fresh = path.with_name(f".{path.name}.rebuild")
    _remove(fresh)
    writer = Writer(fresh, runs)
    for folder in runs.trials():
        writer.queue_trial(folder)
    for record in sorted(runs.sweeps.glob("*.json")):
        writer.queue_sweep(record.stem)
    count = len(runs.trials())
    with _writer_lock(path):
        with _opened_for_writing(fresh, 0):
            pass
        writer.commit()
        _remove(path)
        fresh.replace(path)
    _remove(fresh)
    fresh.with_name(f"{fresh.name}.lock").unlink(missing_ok=True)
    return count


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)


def open_for_reading(path: Path, patience: float = 10.0) -> Connection:
    """Return a read-only connection with this version's views; it waits while the sweep writes.

    Raises:
        DatabaseError: the file is missing, damaged, from a newer version, or held by another process for too long.
    """
    if not path.is_file():
        raise DatabaseError(f"{path} does not exist; a sweep makes it, or `autoreg rebuild` from the run folder")
    try:
        connection = _connect(path, read_only=True, patience=patience)
    except Locked as error:
        raise DatabaseError(f"{path} is held by another process: {error}") from error
    _check_version(connection, path)
    for name, text in _view_texts():
        connection.execute(f"create or replace temp view {name} as {text}")
    return connection


def query(connection: Connection, sql: str, **parameters: Any) -> pl.DataFrame:
    """Return the rows of a query; `$name` in it stands for a parameter."""
    used = {name: value for name, value in parameters.items() if f"${name}" in sql}
    return connection.sql(sql, params=used).pl() if used else connection.sql(sql).pl()


def _bring_in(connection: Connection, folder: TrialFolder) -> None:
    config, result = folder.read_config(), folder.read_result()
    with _transaction(connection):
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
    "ablation": ["insert into ablation by name select $trial as trial_id, $id as measurement_id, * from read_parquet($path)"],
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
    return f'"{name.rpartition(".")[2]}"'


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _replace_sweep(connection: Connection, record: dict[str, Any]) -> None:
    sweep_id = record["sweep_id"]
    with _transaction(connection):
        for table in ("sweeps", "sweep_trials", "sweep_measurements"):
            connection.execute(f"delete from {table} where sweep_id = ?", [sweep_id])
        connection.execute(
            "insert into sweeps values (?, ?, ?, ?, ?)",
            [sweep_id, record["name"], record["figures"], json.dumps(record["definition"]), _utc(record["updated_at"])],
        )
        for table, keys in (
            ("sweep_trials", ("trial_id", "group_id", "kind")),
            ("sweep_measurements", ("metric", "split", "measurement_id")),
        ):
            rows = [(sweep_id, *(item[key] for key in keys)) for item in record[table]]
            if rows:
                connection.register("new_rows", pl.DataFrame(rows, schema=["sweep_id", *keys], orient="row").to_arrow())
                connection.execute(f"insert into {table} by name select * from new_rows")
                connection.unregister("new_rows")


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    connection.execute("begin")
    try:
        yield
    except BaseException:
        with suppress(duckdb.Error):
            connection.execute("rollback")
        raise
    connection.execute("commit")


@contextmanager
def _writer_lock(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened_for_writing(path: Path, patience: float) -> Iterator[Connection]:
    with _writer_lock(path):
        connection = _connect(path, read_only=False, patience=patience)
        try:
            _prepare(connection, path)
            yield connection
        finally:
            connection.close()


def _connect(path: Path, *, read_only: bool, patience: float) -> Connection:
    deadline = time.monotonic() + patience
    config = {} if read_only else {"storage_compatibility_version": STORAGE}
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=config)
        except duckdb.Error as error:
            message = first_line(error)
            if "lock" not in message.lower():
                raise DatabaseError(f"{path} cannot be opened; `autoreg rebuild` makes it again ({message})") from error
            if time.monotonic() >= deadline:
                raise Locked(message) from error
        time.sleep(random.uniform(0.01, 0.05))


def _prepare(connection: Connection, path: Path) -> None:
    tables = connection.execute("select count(*) from duckdb_tables() where table_name = 'schema_info'").fetchone()
    if not tables or not tables[0]:
        with _transaction(connection):
            connection.execute((Path(__file__).parent / "schema.sql").read_text(encoding="utf-8"))
            connection.execute("insert into schema_info values (?, null)", [SCHEMA_VERSION])
    _check_version(connection, path)
    views = _view_texts()
    wanted = content_id(dict(views))
    if connection.execute("select views_hash from schema_info").fetchall() != [(wanted,)]:
        with _transaction(connection):
            for name, text in views:
                connection.execute(f"create or replace view {name} as {text}")
            connection.execute("update schema_info set views_hash = ?", [wanted])


def _check_version(connection: Connection, path: Path) -> None:
    try:
        row = connection.execute("select max(schema_version) from schema_info").fetchone()
    except duckdb.Error as error:
        raise DatabaseError(f"{path} is not a results database: it has no table schema_info") from error
    if row is None or row[0] is None or row[0] > SCHEMA_VERSION:
        raise DatabaseError(f"{path} has schema version {row and row[0]}, this autoreg reads up to {SCHEMA_VERSION}; update autoreg")


def _view_texts() -> list[tuple[str, str]]:
    """Return (name, SQL) of every view, inputs before the views that read them."""
    folder = packaged_folder("analysis_sql")
    texts = {path.stem: path.read_text(encoding="utf-8").rstrip().rstrip(";") for path in sorted(folder.glob("*/*.sql"))}
    words = {name: set(re.findall(r"\w+", re.sub(r"--.*", "", text))) for name, text in texts.items()}
    ordered: list[tuple[str, str]] = []
    while texts:
        ready = [name for name in texts if not (words[name] & texts.keys()) - {name}]
        if not ready:
            raise DatabaseError(f"views in {folder} read each other in a circle: {', '.join(texts)}")
        ordered += [(name, texts.pop(name)) for name in ready]
    return ordered


def record_sweep(runs: Runs, record: dict[str, Any]) -> None:
    """Write what a sweep asked for into the run folder, from where it comes into results.db."""
    write_text(runs.sweep_path(record["sweep_id"]), json.dumps(record) + "\n")
