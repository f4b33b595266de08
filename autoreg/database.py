"""results.db: the only module that opens it. It is derived from the run folder and can be made again at any time."""

import fcntl
import json
import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from autoreg import schema
from autoreg.errors import AutoregError, ConfigError, DatabaseError, DataError, first_line
from autoreg.ingest import Connection, bring_in, known_trials, measurement_id_of, replace_sweep, utc
from autoreg.runs import Runs, TrialFolder, TrialResult, read_json, write_text

#: The newest storage format that the command-line client on PyPI opens.
STORAGE = "v1.5.0"


class Locked(Exception):
    """Another process holds results.db; what was to be written stays in the queue."""


@dataclass(frozen=True)
class Known:
    """What results.db has of each trial: when it was finished, and the ids of its measurements."""

    trials: dict[str, tuple[datetime, frozenset[str]]]

    def has_all_of(self, folder: TrialFolder, result: TrialResult) -> bool:
        """Whether nothing of a trial is missing, or older than what its folder holds."""
        finished_at, ids = self.trials.get(folder.trial_id, (None, frozenset()))
        if finished_at != utc(result.finished_at):
            return False
        return all(measurement_id_of(path) in ids for path in folder.measurement_paths())


class Writer:
    """Brings finished trials from the run folder into results.db.

    The file is opened for the length of one commit only, so that a person can open it while a sweep runs. What cannot
    be written, because somebody's shell holds the file or the disk is full, stays queued, and is safe in the run folder
    meanwhile.
    """

    def __init__(self, path: Path, runs: Runs) -> None:
        _require_file(path)
        self.path = path
        self.runs = runs
        self.problems: list[str] = []
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

    def known(self) -> Known:
        """Return what results.db has, so that only what it has not need be queued; nothing if it cannot be read now."""
        if not self.path.exists():
            return Known({})
        try:
            connection = _connect(self.path, read_only=True, patience=0)
        except (Locked, DatabaseError):
            return Known({})
        try:
            return Known(known_trials(connection))
        except duckdb.Error:  # another version's tables
            return Known({})
        finally:
            connection.close()

    def commit(self, patience: float = 0.0) -> bool:
        """Write what is queued, one transaction a trial, and return whether nothing is left.

        A trial whose files are damaged is left out, and `problems` says so; the others are written.

        Args:
            patience: seconds to wait for another process to let go of the file.

        Raises:
            DatabaseError: results.db is damaged, from a newer version, or cannot be written; what is left to write
                stays queued.
        """
        if not self.pending:
            return True
        try:
            with _opened_for_writing(self.path, patience) as connection:
                for sweep_id in sorted(self._sweeps):
                    with self._problems_of(f"sweep {sweep_id}"):
                        replace_sweep(connection, read_json(self.runs.sweep_path(sweep_id)))
                    self._sweeps.discard(sweep_id)
                for trial_id, folder in list(self._trials.items()):
                    with self._problems_of(f"trial {trial_id}"):
                        bring_in(connection, folder)
                    del self._trials[trial_id]
        except Locked:
            return False
        except (duckdb.Error, OSError) as error:
            raise DatabaseError(f"{self.path} cannot be written: {first_line(error)}") from error
        return True

    @contextmanager
    def _problems_of(self, what: str) -> Iterator[None]:
        try:
            yield
        except _OF_THE_DATABASE:
            raise
        except (AutoregError, duckdb.Error) as error:
            self.problems.append(f"{what} is left out of the database: {first_line(error)}")


#: What is wrong with results.db or its disk, and not with what is written: it is tried again later.
_OF_THE_DATABASE = (
    duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.OutOfMemoryException,
    duckdb.TransactionException, duckdb.ConnectionException,
)  # fmt: skip


def rebuild(path: Path, runs: Runs) -> tuple[int, list[str]]:
    """Make results.db again from the run folder, replacing what is there.

    Returns:
        The number of trials in it, and one line for each trial or sweep whose files are damaged.

    Raises:
        DatabaseError: a sweep is writing to it for longer than a minute.
    """
    fresh = path.with_name(f".{path.name}.rebuild")
    try:
        with _writer_lock(path, patience=60):
            _remove(fresh)
            writer = Writer(fresh, runs)
            folders = runs.trials()
            for folder in folders:
                writer.queue_trial(folder)
            for record in sorted(runs.sweeps.glob("*.json")):
                writer.queue_sweep(record.stem)
            with _opened_for_writing(fresh, patience=0):
                pass  # an empty run folder makes an empty database
            writer.commit()
            path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
            fresh.replace(path)
            fresh.with_name(f"{fresh.name}.lock").unlink(missing_ok=True)
    except Locked as error:
        raise DatabaseError(f"{path} is being written by another process: {error}") from error
    return len(folders) - sum(problem.startswith("trial") for problem in writer.problems), writer.problems


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)


def open_for_reading(path: Path, patience: float = 10.0) -> Connection:
    """Return a read-only connection with this version's views; it waits while the sweep writes.

    Raises:
        DataError: the file is missing.
        DatabaseError: the file is damaged, from a newer version, or held by another process for too long.
    """
    if not path.exists():
        raise DataError(f"{path} does not exist; a sweep makes it, or `autoreg rebuild` from the run folder")
    _require_file(path)
    try:
        connection = _connect(path, read_only=True, patience=patience)
    except Locked as error:
        raise DatabaseError(f"{path} is held by another process: {error}") from error
    try:
        schema.use(connection, path)
    except DatabaseError:
        connection.close()
        raise
    return connection


def add_view(connection: Connection, name: str, sql: str) -> None:
    """Add a view of the user's own for the life of a connection. Raises ConfigError if it is not a plain query."""
    if not re.fullmatch(r"\w+", name):
        raise ConfigError(f"a view's name has letters, digits and underscores, got {name!r}")
    try:
        connection.execute(f'create or replace temp view "{name}" as {sql}')
    except duckdb.Error as error:
        raise ConfigError(f"the view {name} cannot be made: {first_line(error)}") from error


def query(connection: Connection, sql: str, **parameters: Any) -> pl.DataFrame:
    """Return the rows of a query; `$name` in it stands for a parameter. Raises DatabaseError if it fails."""
    try:
        frame: pl.DataFrame = (connection.sql(sql, params=parameters) if parameters else connection.sql(sql)).pl()
    except duckdb.Error as error:
        raise DatabaseError(f"a query failed: {first_line(error)}") from error
    return frame


@contextmanager
def _writer_lock(path: Path, patience: float) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as file:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                _wait_until(deadline, error, "another sweep is writing")
        yield


@contextmanager
def _opened_for_writing(path: Path, patience: float) -> Iterator[Connection]:
    _require_file(path)
    started = time.monotonic()
    with _writer_lock(path, patience):
        connection = _connect(path, read_only=False, patience=patience - (time.monotonic() - started))
        try:
            schema.install(connection, path)
            yield connection
        finally:
            connection.close()


def _connect(path: Path, *, read_only: bool, patience: float) -> Connection:
    deadline = time.monotonic() + patience
    # What lies in a file from a stranger may be a view that reads other files.
    config: dict[str, Any] = {"enable_external_access": False}
    if not read_only:
        config["storage_compatibility_version"] = STORAGE
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=config)
        except duckdb.Error as error:
            message = first_line(error)
            if "could not set lock" not in message.lower():
                advice = "if it is autoreg's, `autoreg rebuild` makes it again"
                raise DatabaseError(f"{path} cannot be opened; {advice} ({message})") from error
            _wait_until(deadline, error, message)


def _require_file(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise DatabaseError(f"{path} is not a file")


def _wait_until(deadline: float, error: Exception, message: str) -> None:
    if time.monotonic() >= deadline:
        raise Locked(message) from error
    time.sleep(random.uniform(0.01, 0.05))


def record_sweep(runs: Runs, record: dict[str, Any]) -> None:
    """Write what a sweep asked for into the run folder, from where it comes into results.db."""
    write_text(runs.sweep_path(record["sweep_id"]), json.dumps(record) + "\n")
