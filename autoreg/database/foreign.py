"""What somebody else has put into results.db: it is named, left alone, and kept by a rebuild, or that is refused."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import duckdb

from autoreg.database import custom, schema
from autoreg.database.custom import literal, quoted
from autoreg.database.schema import Connection
from autoreg.errors import DatabaseError, first_line

#: How DuckDB calls what can lie in a database, in the order in which it can be made again.
_KINDS = {"sequence": "sequences", "table": "tables", "index": "indexes", "view": "views"}


@dataclass(frozen=True)
class Foreign:
    """Something that is not autoreg's: its kind, schema and name, the SQL that makes it, and its comment.

    DuckDB gives no SQL for macros and types, nor for a column that was added to a table of autoreg's.
    """

    kind: str
    schema: str
    name: str
    sql: str | None
    comment: str | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.name if self.schema == 'main' else f'{self.schema}.{self.name}'}"

    @property
    def place(self) -> str:
        """Its name as SQL takes it."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"


def foreign(connection: Connection) -> list[Foreign]:
    """Return what in a results database is not autoreg's, in the order in which it can be made again."""
    there, version, metrics = schema.names(connection), 0, list[tuple[str, int]]()
    if there.issuperset({*schema.TABLES} - {"sweep_groups"}):  # which version 1 had not
        metrics = custom.measured(connection, schema.METRIC_SQL)
        [(version,)] = connection.execute("select coalesce(max(schema_version), 0) from schema_info").fetchall()
    views = [custom.view_of(metric) for metric, _ in metrics]
    tables = [*schema.TABLES, *chain(*schema.METRIC_TABLES.values())]
    own = {("table", name) for name in (*tables, *schema.REFERENCE_TABLES)}
    own |= {("table", custom.table_of(*metric)) for metric in metrics}
    own |= {("view" if version > 3 else "table", name) for name in views}  # up to version 3, a metric's only table
    own |= {("view", name) for name in (*schema.view_texts(), *schema.FORMER_VIEWS)}
    own |= {("column", f"{name}.{column}") for name, _, columns in schema.described_tables() for column in columns}
    own |= {("column", "units.similar")}  # up to version 2
    return [
        one
        for one in (*_columns_of(connection, tables), *_all(connection))
        if one.schema != "main" or ((one.kind, one.name) not in own and not _is_view_of_metric(one))
    ]


def _is_view_of_metric(one: Foreign) -> bool:
    """Whether it is the view of a custom metric, also in a database that has no measurement of it any more."""
    metric = re.fullmatch(r"Rows of version \d+ of (\S+), of each trial .*", one.comment or "")
    return one.kind == "view" and metric is not None and custom.view_of(metric[1]) == one.name


def _columns_of(connection: Connection, tables: list[str]) -> list[Foreign]:
    rows = connection.execute("select schema_name, table_name, column_name from duckdb_columns() where not internal")
    return [
        Foreign("column", place, f"{table}.{column}", None)
        for place, table, column in rows.fetchall()
        if place == "main" and table in tables
    ]


def _all(connection: Connection) -> list[Foreign]:
    rows = connection.execute("""
        select distinct 'macro', schema_name, function_name, null, null
        from duckdb_functions()
        where not internal and function_type in ('macro', 'table_macro')
        union all
        select 'type', schema_name, type_name, null, null
        from duckdb_types()
        where not internal
    """).fetchall()
    for kind, function in _KINDS.items():
        rows += connection.execute(f"""
            select '{kind}', schema_name, {kind}_name, sql, comment
            from duckdb_{function}()
            where database_name = current_database() and sql is not null
            order by {kind}_oid
        """).fetchall()
    return [Foreign(*row) for row in rows]


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
            if one.sql is None:
                raise duckdb.NotSupportedError("DuckDB gives no SQL for it")
            new.execute(f"create schema if not exists {quoted(one.schema)}")
            new.execute(one.sql)
            if one.kind == "table":
                new.register("kept_rows", old.sql(f"from {one.place}").to_arrow_reader())
                new.execute(f"insert into {one.place} from kept_rows")
                new.unregister("kept_rows")
            if one.comment is not None:
                new.execute(f"comment on {one.kind} {one.place} is {literal(one.comment)}")
            columns = "select column_name, comment from duckdb_columns() where (schema_name, table_name) = ($1, $2)"
            for column, comment in old.execute(columns, [one.schema, one.name]).fetchall():
                if comment is not None:
                    new.execute(f"comment on column {one.place}.{quoted(column)} is {literal(comment)}")
        except duckdb.Error as error:
            raise DatabaseError(
                f"{path} has a {one}, which is not autoreg's and cannot be kept: {first_line(error)}; "
                "move it elsewhere, or make another file with --db"
            ) from error
