"""results.db: the only module that opens it. It is derived from the run folder and can be made again at any time."""

import errno
import os
import random
import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from autoreg.database import schema
from autoreg.database.schema import ADVICE, Connection
from autoreg.errors import ConfigError, DamagedDatabase, DatabaseError, DataError, first_line, is_utf8
from autoreg.files import hold

#: The newest storage format that the command-line client on PyPI opens.
STORAGE = "v1.5.0"
#: What the disk refuses, which says nothing about what is in the file.
_REFUSALS = tuple(
    os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE)
)
_DAMAGE = (duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)


class Locked(Exception):
    """Another process holds results.db; what was to be written stays in the queue."""


@contextmanager
def reading(path: Path, patience: float = 10.0) -> Iterator[Connection]:
    """Give a read-only connection with this version's views; it waits while the sweep writes.

    Nobody can write meanwhile, so that all its queries see one state; what a sweep has to write waits.

    Raises:
        DataError: the file is missing.
        DatabaseError: the file is damaged, from a newer version, or held by another process for too long.
    """
    require_file(path)
    if not path.exists():
        raise DataError(
            f"{path} does not exist; a sweep makes it, or `autoreg rebuild` from the run folder; --db says where it is"
        )
    try:
        connection = connect(path, read_only=True, patience=patience)
    except Locked as error:
        raise DatabaseError(f"{path} is held by another process: {error}") from error
    with closing(connection):
        schema.use(connection, path)
        yield connection


@contextmanager
def in_memory() -> Iterator[Connection]:
    """Give a database without rows that is no file."""
    with closing(duckdb.connect()) as connection:
        schema.install(connection, Path("memory"))
        yield connection


def path_of(connection: Connection) -> Path:
    """Return the file that a connection is to, from here if it lies below."""
    path = Path(query(connection, "select path from duckdb_databases() where not internal")["path"][0])
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def add_view(connection: Connection, name: str, sql: str) -> None:
    """Add a view of the user's own for the life of a connection. Raises ConfigError if it is not a plain query."""
    if not re.fullmatch(r"\w+", name):
        raise ConfigError(f"a view's name has letters, digits and underscores, got {name!r}")
    try:
        connection.execute(f'create or replace temp view "{name}" as {sql}')
    except duckdb.Error as error:
        raise ConfigError(f"the view {name} cannot be made: {first_line(error)}") from error


def query(connection: Connection, sql: str, **parameters: Any) -> pl.DataFrame:
    """Return the rows of a query; `$name` in it stands for a parameter.

    Raises:
        DamagedDatabase: the file turns out to be damaged.
        DatabaseError: the query fails for another reason.
    """
    try:
        if len(connection.extract_statements(sql)) > 1:
            raise DatabaseError("a query failed: it takes one statement at a time")
        relation: Any = connection.sql(sql, params=parameters) if parameters else connection.sql(sql)
        if relation is None:
            raise DatabaseError("a query failed: there is nothing in it that gives rows")
        frame: pl.DataFrame = _with_known_types(relation).pl()
    except pl.exceptions.PolarsError as error:
        raise DatabaseError(f"a query failed: cast what has no common type: {first_line(error)}") from error
    except duckdb.Error as error:
        raise failed(error) from error
    return frame


def failed(error: duckdb.Error) -> DatabaseError:
    """Return what is said of a query that failed: the file is damaged, or something is wrong with the query."""
    if is_damage(error):
        return DamagedDatabase(f"results.db is damaged; {ADVICE} ({first_line(error)})")
    complaint = " ".join(str(error).split("\n\n")[0].splitlines()) or first_line(error)  # with DuckDB's own hint
    return DatabaseError(f"a query failed: {complaint}")


def _with_known_types(relation: Any) -> Any:
    """Return a relation whose intervals and unions, which a frame has not, are texts."""
    if not re.search("INTERVAL|UNION", " ".join(map(str, relation.types))):
        return relation
    names = [name.replace('"', '""') for name in relation.columns]
    casts = ("::varchar" if re.search("INTERVAL|UNION", str(kind)) else "" for kind in relation.types)
    places = enumerate(zip(names, casts, strict=True), start=1)  # two columns may have one name
    return relation.project(", ".join(f'#{place}{cast} as "{name}"' for place, (name, cast) in places))


def table_names(connection: Connection, views: bool = True) -> list[str]:
    """Return the names of all tables, and of the views, in alphabetical order; custom metrics count as tables."""
    tables = query(connection, "select table_name as name from duckdb_tables()")["name"]
    derived = query(connection, "select distinct view_name as name from duckdb_views() where not internal")["name"]
    return sorted({*tables, *derived} - (set() if views else schema.view_texts().keys()))


def is_damage(error: Exception) -> bool:
    """Whether an error is about the file and not about a query: a block without its checksum has no kind of its own."""
    return isinstance(error, _DAMAGE) or type(error) is duckdb.Error


@contextmanager
def writer_lock(path: Path, patience: float) -> Iterator[None]:
    """Hold the right to write, which is a file of its own beside results.db. Raises Locked after `patience` seconds."""
    with hold(path.with_name(f"{path.name}.lock"), patience) as is_held:
        if not is_held:
            raise Locked("another sweep is writing")
        yield


@contextmanager
def opened_for_writing(path: Path, patience: float) -> Iterator[Connection]:
    """Give a connection that may write, to a database with this version's tables and views.

    Raises:
        Locked: another process holds it for longer than `patience` seconds.
        DatabaseError: it is damaged, not ours or from a newer version.
    """
    require_file(path)
    started = time.monotonic()
    with writer_lock(path, patience):
        if not path.exists():
            with made_anew(path):
                pass
        with closing(connect(path, read_only=False, patience=patience - (time.monotonic() - started))) as connection:
            schema.install(connection, path)
            yield connection


@contextmanager
def made_anew(path: Path) -> Iterator[Connection]:
    """Give an empty database that takes the place of what is at `path` once all is in it; the caller holds the lock.

    Raises:
        DatabaseError: it cannot be made; what was at `path` is still there then.
    """
    path = path.resolve()  # a link stays, and what it leads to is replaced
    fresh = path.with_name(f".{path.name}.new")
    _remove(fresh)
    try:
        with closing(connect(fresh, read_only=False, patience=0)) as connection:
            schema.install(connection, path)
            yield connection
            # Closing keeps quiet about a disk without room for this, and what is in the log only would stay behind.
            connection.execute("checkpoint")
        path.with_name(f"{path.name}.wal").unlink(missing_ok=True)  # before, since it would be applied to the new one
        fresh.replace(path)
    except (duckdb.Error, OSError) as error:
        raise DatabaseError(f"{path} cannot be written: {first_line(error)}") from error
    finally:
        _remove(fresh)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)


def connect(path: Path, *, read_only: bool, patience: float) -> Connection:
    """Return a connection to the file as it is. Raises Locked or DatabaseError, as `opened_for_writing`."""
    deadline = time.monotonic() + patience
    # What lies in a file from a stranger may be a view that reads other files.
    config: dict[str, Any] = {"enable_external_access": False, "autoload_known_extensions": False}
    if read_only:
        config["lock_configuration"] = True  # a log that may not be written would end the process
    else:
        config["storage_compatibility_version"] = STORAGE
    while True:
        try:
            # Absolute, since DuckDB takes `md:x` or `:memory:` for something else than a file.
            return duckdb.connect(str(path.absolute()), read_only=read_only, config=config)
        except duckdb.Error as error:
            message = first_line(error)
            if any(refusal in message for refusal in _REFUSALS):
                raise DatabaseError(f"{path} cannot be opened: {message}") from error
            if "could not set lock" not in message.lower():
                raise DamagedDatabase(f"{path} cannot be opened; if it is autoreg's, {ADVICE} ({message})") from error
            if time.monotonic() >= deadline:
                raise Locked(message) from error
        time.sleep(random.uniform(0.01, 0.05))


def require_file(path: Path) -> None:
    """Raise DatabaseError if something else than a file is there, or ConfigError if DuckDB takes no such path."""
    where = str(path.absolute())
    if "?" in where or not is_utf8(where):  # after a question mark DuckDB reads settings
        raise ConfigError(f"the path of a database is UTF-8 and without '?', got {where!r}")
    if path.exists() and not path.is_file():
        raise DatabaseError(f"{path} is not a file")
