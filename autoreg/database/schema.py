"""What results.db holds beside rows: its tables, their version, the views of analysis_sql and the published values."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import polars as pl

from autoreg.config.trial import content_id
from autoreg.errors import DatabaseError, first_line
from autoreg.packaged import packaged_folder

Connection = duckdb.DuckDBPyConnection

TABLES_SQL = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")
TABLES = re.findall(r"create table if not exists (\w+)", TABLES_SQL)

SCHEMA_VERSION = 2
_ADVICE = "`autoreg rebuild` makes it again from the run folder"
#: What brings a database from the version before to this one. Rows of older sweeps come with the next `sweep` or
#: `rebuild`.
MIGRATIONS = {
    2: """
        create table sweep_groups (
            sweep_id varchar not null, group_id varchar not null, variant varchar, network varchar not null,
            dataset varchar not null, width double not null, epochs integer not null, parameters bigint not null
        )
    """,
}


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


def install(connection: Connection, path: Path) -> None:
    """Make the tables of a new database or bring those of an older one up to date, and make this version's views.

    Raises:
        DatabaseError: it is no results database, or from a newer version.
    """
    if not _tables(connection):  # in a database with somebody's own tables, nothing is made
        with transaction(connection):
            connection.execute(TABLES_SQL)
            connection.execute("insert into schema_info values (?, null)", [SCHEMA_VERSION])
    for step in range(_schema_version(connection, path) + 1, SCHEMA_VERSION + 1):
        with transaction(connection):
            connection.execute(MIGRATIONS[step])
            connection.execute("update schema_info set schema_version = ?", [step])
    _require_tables(connection, path)
    views = _view_texts()
    published = packaged_folder("reference") / "published.csv"
    wanted = content_id({**dict(views), "published": hashlib.blake2b(published.read_bytes()).hexdigest()})
    if connection.execute("select views_hash from schema_info").fetchall() != [(wanted,)]:
        with transaction(connection):
            _fill_published(connection, "table")
            for name, text in views:
                connection.execute(f"create or replace view {name} as {text}")
            connection.execute("update schema_info set views_hash = ?", [wanted])


def use(connection: Connection, path: Path) -> None:
    """Give a read-only connection this version's views, for its own life.

    Raises:
        DatabaseError: it is no results database, or from another version.
    """
    if _schema_version(connection, path) < SCHEMA_VERSION:
        raise DatabaseError(f"{path} was made by an older autoreg; `autoreg rebuild` brings it up to date")
    try:
        _fill_published(connection, "temp table")
        for name, text in _view_texts():
            connection.execute(f"create or replace temp view {name} as {text}")
    except duckdb.Error as error:
        raise DatabaseError(f"{path} has not the tables that it should; {_ADVICE} ({first_line(error)})") from error


def _require_tables(connection: Connection, path: Path) -> None:
    """Raise DatabaseError if a table is gone: no trial is to blame for what cannot be written then."""
    there = _tables(connection)
    if gone := [name for name in TABLES if name not in there]:
        raise DatabaseError(f"{path} has no table {', '.join(gone)}; {_ADVICE}")


def _tables(connection: Connection) -> set[str]:
    return {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}


def _fill_published(connection: Connection, kind: str) -> None:
    """Make the table of the paper's values anew."""
    frame = pl.read_csv(packaged_folder("reference") / "published.csv", infer_schema_length=None)
    connection.register("new_rows", frame.to_arrow())
    connection.execute(f"create or replace {kind} published as select * from new_rows")
    connection.unregister("new_rows")


def _schema_version(connection: Connection, path: Path) -> int:
    try:
        [row] = connection.execute("select max(schema_version) from schema_info").fetchall()
    except duckdb.Error as error:
        raise DatabaseError(f"{path} is not a results database: it has no table schema_info") from error
    if row[0] is None or row[0] > SCHEMA_VERSION:
        raise DatabaseError(
            f"{path} has schema version {row[0]}, this autoreg reads up to {SCHEMA_VERSION}; update autoreg"
        )
    version: int = row[0]
    return version


def _view_texts() -> list[tuple[str, str]]:
    """Return (name, SQL) of every view, inputs before the views that read them."""
    folder = packaged_folder("analysis_sql")
    texts = {
        path.stem: path.read_text(encoding="utf-8").rstrip().rstrip(";") for path in sorted(folder.glob("*/*.sql"))
    }
    read = {
        name: set(re.findall(r"\b(?:from|join)\s+(\w+)", re.sub(r"--.*", "", text))) for name, text in texts.items()
    }
    ordered: list[tuple[str, str]] = []
    while texts:
        ready = [name for name in texts if not (read[name] & texts.keys()) - {name}]
        if not ready:
            raise DatabaseError(f"views in {folder} read each other in a circle: {', '.join(texts)}")
        ordered += [(name, texts.pop(name)) for name in ready]
    return ordered
