"""What results.db holds beside rows: tables and their version, the views of analysis_sql, and the tables of reference.

Each table, column and view carries its own description: `select view_name, comment from duckdb_views()`.
"""

import re
from collections import ChainMap
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import duckdb
import polars as pl

from autoreg.config.trial import content_id
from autoreg.database import custom
from autoreg.database.custom import Connection as Connection
from autoreg.database.custom import literal
from autoreg.errors import DatabaseError, first_line
from autoreg.packaged import packaged_folder


def statements(sql: str, kind: duckdb.StatementType) -> list[str]:
    """Return the statements of one kind."""
    return [statement.query for statement in duckdb.extract_statements(sql) if statement.type == kind]


TABLES_SQL = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")
#: By metric, the file beside it: its tables, and how the rows of a measurement, `new_rows`, are inserted into them.
METRIC_SQL = {path.stem: path.read_text(encoding="utf-8") for path in sorted(packaged_folder("metrics").glob("*.sql"))}
#: The tables of which each CSV file beside it is one.
_REFERENCE = packaged_folder("reference")
REFERENCE_SQL = (_REFERENCE / "tables.sql").read_text(encoding="utf-8")

_TABLE = re.compile(r"^create (?:or replace )?table (?:if not exists )?(\w+)", re.MULTILINE)
TABLES = _TABLE.findall(TABLES_SQL)
METRIC_TABLES = {metric: _TABLE.findall(sql) for metric, sql in METRIC_SQL.items()}
REFERENCE_TABLES = _TABLE.findall(REFERENCE_SQL)

#: What earlier versions had views under the name of, and this one has not.
FORMER_VIEWS = ("sweep_finals", "final_states", "areas")

SCHEMA_VERSION = 4
ADVICE = "`autoreg rebuild` makes it again from the run folder"
#: What brings a database from the version before to this one. Rows of older sweeps come with the next `sweep` or
#: `rebuild`; a trial that is there is not read again, so that a step fills what it adds to `trials`.
MIGRATIONS: dict[int, Callable[[Connection], object]] = {
    2: lambda connection: connection.execute("""
        create table sweep_groups (
            sweep_id varchar not null, group_id varchar not null, variant varchar, network varchar not null,
            dataset varchar not null, width double not null, epochs integer not null, parameters bigint not null
        )
    """),
    3: lambda connection: connection.execute(
        'alter table units rename column "similar" to similar_units; '
        + "; ".join(f"drop view if exists {name}" for name in FORMER_VIEWS)
    ),
    4: lambda connection: custom.split_versions(
        connection.execute("alter table measurements add column digest varchar"), METRIC_SQL
    ),
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


@contextmanager
def registered(connection: Connection, frame: pl.DataFrame) -> Iterator[None]:
    """Let SQL read a frame as `new_rows`."""
    connection.register("new_rows", frame.to_arrow())
    try:
        yield
    finally:
        with suppress(duckdb.Error):  # in a transaction that failed, whose error says more
            connection.unregister("new_rows")


def install(connection: Connection, path: Path) -> None:
    """Make the tables of a new database or bring those of an older one up to date, and make this version's views.

    Raises:
        DatabaseError: it is no results database, or from a newer version.
    """
    if not names(connection):  # in a database with somebody's own tables, nothing is made
        with transaction(connection):
            connection.execute(TABLES_SQL)
            connection.execute("insert into schema_info values (?, null)", [SCHEMA_VERSION])
    for step in range(_schema_version(connection, path) + 1, SCHEMA_VERSION + 1):
        with transaction(connection):
            MIGRATIONS[step](connection)
            connection.execute("update schema_info set schema_version = ?", [step])
    _require_tables(connection, path)
    if not _has_these_views(connection):
        with transaction(connection):
            for sql in METRIC_SQL.values():
                for statement in statements(sql, duckdb.StatementType.CREATE):
                    connection.execute(statement)
            _make_views(connection)
            connection.execute("; ".join(_comments(connection)))
            custom.make_views(connection, METRIC_SQL)
            connection.execute("update schema_info set views_hash = ?", [_views_hash()])


def use(connection: Connection, path: Path) -> None:
    """Make sure that a read-only connection has this version's views.

    A file that says to have them is believed: in a stranger's file the rows need not be true either, and no view of it
    can read another file. `autoreg verify` compares both.

    Raises:
        DatabaseError: it is no results database, or from another version.
    """
    if _schema_version(connection, path) < SCHEMA_VERSION:
        raise DatabaseError(f"{path} was made by an older autoreg; `autoreg rebuild` brings it up to date")
    try:
        _require_tables(connection, path)
        if not _has_these_views(connection):
            _make_views(connection, "temp ")
    except duckdb.Error as error:
        raise DatabaseError(f"{path} has not the tables that it should; {ADVICE} ({first_line(error)})") from error


def described_tables() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield name, description and the description of each column of every table."""
    for sql in (TABLES_SQL, *METRIC_SQL.values(), REFERENCE_SQL):
        for about, name, body in re.findall(rf"^-- ([^\n]*)\n{_TABLE.pattern} \(\n(.*?)\n\);", sql, re.M | re.S):
            yield name, about, dict(re.findall(r"^    (\w+) .*?  -- (.*)$", body, re.MULTILINE))


def _comments(connection: Connection) -> Iterator[str]:
    there = "select table_name, list(column_name) from duckdb_columns() where not internal group by all"
    columns: dict[str, list[str]] = dict(connection.execute(there).fetchall())
    known = {name: meanings for name, _, meanings in described_tables()}
    yield from (f"comment on table {name} is {literal(about)}" for name, about, _ in described_tables())
    for name, sql in view_texts().items():
        sentence, grain = (line.removeprefix("-- ") for line in sql.splitlines()[:2])
        yield f"comment on view {name} is {literal(f'{sentence} {grain}')}"
        # A column means what it does in the first source that has it, unless the view's file says it beside the column.
        sources = [known[source] for source in sources_of(sql) if source in known]
        own = dict(re.findall(r"(\w+),?  -- (.+)$", sql, re.MULTILINE))
        known[name] = {column: ChainMap(own, *sources).get(column, "") for column in columns[name]}
    for name, meanings in known.items():
        for column, meaning in meanings.items():
            yield f"comment on column {name}.{column} is {literal(meaning)}"


def _require_tables(connection: Connection, path: Path) -> None:
    """Raise DatabaseError if a table is gone: no trial is to blame for what cannot be written then."""
    there = names(connection)
    gone = [name for name in TABLES if name not in there]
    if not gone and _has_these_views(connection):  # else a table that is new in this version is not there yet
        measured = connection.execute("select distinct metric from measurements").fetchall()
        gone = [name for (metric,) in measured for name in METRIC_TABLES.get(metric, []) if name not in there]
    if gone:
        raise DatabaseError(f"{path} has no table {', '.join(gone)}; {ADVICE}")


def names(connection: Connection) -> set[str]:
    """Return the names of all tables and views."""
    tables, views = "select table_name from duckdb_tables()", "select view_name from duckdb_views() where not internal"
    return {name for (name,) in connection.execute(f"{tables} union all {views}").fetchall()}


def _has_these_views(connection: Connection) -> bool:
    hashes = connection.execute("select views_hash from schema_info").fetchall()
    return hashes == [(_views_hash(),)] and names(connection).issuperset([*REFERENCE_TABLES, *view_texts()])


def _make_views(connection: Connection, life: str = "") -> None:
    """Make the tables of reference and all views anew; `temp ` has them for the life of a connection."""
    connection.execute(REFERENCE_SQL.replace("create or replace table", f"create or replace {life}table"))
    for name in REFERENCE_TABLES:
        with registered(connection, pl.read_csv(_REFERENCE / f"{name}.csv", infer_schema_length=None)):
            connection.execute(f"insert into {name} by name select * from new_rows")
    for name, text in view_texts().items():
        connection.execute(f"create or replace {life}view {name} as {text}")


def _schema_version(connection: Connection, path: Path) -> int:
    try:
        [(version,)] = connection.execute("select max(schema_version) from schema_info").fetchall()
    except duckdb.Error as error:
        raise DatabaseError(f"{path} is not a results database: it has no table schema_info") from error
    if version is None or version > SCHEMA_VERSION:
        raise DatabaseError(
            f"{path} has schema version {version}, this autoreg reads up to {SCHEMA_VERSION}; update autoreg"
        )
    return int(version)


@cache
def _views_hash() -> str:
    return content_id([TABLES_SQL, METRIC_SQL, REFERENCE_SQL, reference_texts(), view_texts()])


def reference_texts() -> dict[str, str]:
    """Return the CSV file behind each table of reference."""
    return {name: (_REFERENCE / f"{name}.csv").read_text(encoding="utf-8") for name in REFERENCE_TABLES}


@cache
def view_texts() -> dict[str, str]:
    """Return the SQL of every view by name, inputs before the views that read them."""
    folder = packaged_folder("analysis_sql")
    texts = {
        path.stem: path.read_text(encoding="utf-8").rstrip().rstrip(";") for path in sorted(folder.glob("*/*.sql"))
    }
    ordered: dict[str, str] = {}
    while texts:
        ready = [name for name in texts if not ({*sources_of(texts[name])} & texts.keys()) - {name}]
        if not ready:
            raise DatabaseError(f"views in {folder} read each other in a circle: {', '.join(texts)}")
        ordered |= {name: texts.pop(name) for name in ready}
    return ordered


def sources_of(sql: str) -> list[str]:
    """Return the names that a query reads, as they come."""
    return re.findall(r"\b(?:from|join)\s+(\w+)", re.sub(r"--.*", "", sql))
