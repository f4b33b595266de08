"""What somebody else has put into results.db: tables and views that are named, left alone, and kept by a rebuild."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import duckdb

from autoreg.database import custom, schema
from autoreg.database.custom import quoted
from autoreg.database.schema import Connection
from autoreg.errors import DatabaseError, first_line


@dataclass(frozen=True)
class Foreign:
    """A table or view that is not autoreg's: in which schema, under which name, and the SQL that makes it."""

    kind: str
    schema: str
    name: str
    sql: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name if self.schema == 'main' else f'{self.schema}.{self.name}'}"


def foreign(connection: Connection) -> list[Foreign]:
    """Return what in a results database is not autoreg's, in the order in which it was made."""
    there, version, metrics = schema.names(connection), 0, list[tuple[str, int]]()
    if there.issuperset({*schema.TABLES} - {"sweep_groups"}):  # which version 1 had not
        metrics = custom.measured(connection, schema.METRIC_SQL)
        [(version,)] = connection.execute("select max(schema_version) from schema_info").fetchall()
    views = [custom.view_of(metric) for metric, _ in metrics]
    tables = [*schema.TABLES, *chain(*schema.METRIC_TABLES.values()), *schema.REFERENCE_TABLES]
    own = {("table", name) for name in (*tables, *(custom.table_of(*metric) for metric in metrics))}
    own |= {("view" if version > 3 else "table", name) for name in views}  # up to version 3, a metric's only table
    own |= {("view", name) for name in schema.view_texts()}
    return [one for one in _all(connection) if one.schema != "main" or (one.kind, one.name) not in own]


def _all(connection: Connection) -> list[Foreign]:
    """Return tables and views, but for views that say that a version of autoreg made them."""
    rows = connection.execute("""
        select 'table' as kind, schema_name, table_name as name, sql, 0 as step, table_oid as oid
        from duckdb_tables()
        where not internal and not temporary
        union all
        select 'view', schema_name, view_name, sql, 1, view_oid
        from duckdb_views()
        where
            not internal and not temporary
            and not contains(coalesce(comment, ''), ' grain: ')
            and not starts_with(coalesce(comment, ''), 'Rows of version ')
        order by step, oid
    """)
    return [Foreign(*row[:4]) for row in rows.fetchall()]


def keep(others: Sequence[Foreign], old: Connection, new: Connection, path: Path) -> None:
    """Copy what is not autoreg's from one database into another.

    Raises:
        DatabaseError: something of it cannot be copied.
    """
    made = {one.name for one in _all(new) if one.kind == "table"}
    for one in others:
        # a custom metric's, of a database that does not say so any more
        if one.schema == "main" and one.kind == "table" and one.name in made:
            continue
        try:
            new.execute(f"create schema if not exists {quoted(one.schema)}")
            new.execute(one.sql)
            if one.kind == "table":
                place = f"{quoted(one.schema)}.{quoted(one.name)}"
                new.register("kept_rows", old.sql(f"from {place}").to_arrow_reader())
                new.execute(f"insert into {place} from kept_rows")
                new.unregister("kept_rows")
        except duckdb.Error as error:
            raise DatabaseError(
                f"{path} has a {one}, which is not autoreg's and cannot be kept: {first_line(error)}; "
                "move it elsewhere, or make another file with --db"
            ) from error
