"""Whether results.db says what the run folder says, row for row."""

import shutil
import tempfile
from collections import defaultdict
from pathlib import Path

import duckdb

from autoreg.database.connection import query, reading
from autoreg.database.schema import ADVICE, REFERENCE_TABLES, Connection, view_names
from autoreg.database.writer import rebuild
from autoreg.errors import DamagedDatabase, first_line
from autoreg.runs.folder import Runs

#: Tables that are the same in every database, or are not about trials.
_OTHER_TABLES = ("schema_info", *REFERENCE_TABLES)


def verify(path: Path, runs: Runs) -> list[str]:
    """Return a line for each trial and sweep of which rows are missing, differ or are too many; neither is changed.

    A second database is made from the run folder, in a temporary folder, and compared with the first; so it takes as
    long as `autoreg rebuild`. Files of the run folder that are damaged are named too, except checkpoints, which a sweep
    checks when it reads them.

    Raises:
        DataError: results.db is missing.
        DatabaseError: results.db is damaged, locked or from another version.
    """
    with tempfile.TemporaryDirectory(prefix="autoreg-verify-") as folder:
        found, expected = Path(folder) / "found.db", Path(folder) / "expected.db"
        _read_and_copy(path, found)
        _, lines = rebuild(expected, runs)
        connection = duckdb.connect()
        try:
            _attach(connection, found, "found")
            _attach(connection, expected, "expected")
            connection.execute("set enable_external_access = false")  # what is attached stays readable
            return lines + _other_views(connection) + _differences(connection)
        except duckdb.Error as error:
            raise DamagedDatabase(f"{path} is damaged; {ADVICE} ({first_line(error)})") from error
        finally:
            connection.close()


def _read_and_copy(path: Path, copy: Path) -> None:
    """Look at every view of a database and copy it, while no sweep writes to it; what is compared may take long.

    There is damage that only a query with conditions meets, and a plain comparison does not.
    """
    with reading(path) as connection:
        for name in view_names():
            query(connection, f"select count(*) from (select * from {name} order by all)")
        for suffix in ("", ".wal"):
            if (part := path.with_name(path.name + suffix)).is_file():
                shutil.copyfile(part, copy.with_name(copy.name + suffix))


def _attach(connection: Connection, path: Path, name: str) -> None:
    quoted = str(path.absolute()).replace("'", "''")
    connection.execute(f"attach '{quoted}' as {name} (read_only)")


def _other_views(connection: Connection) -> list[str]:
    """Return a line for each view that stands where this version's should, in a database that says to have these."""
    names = connection.execute(
        "select view_name from duckdb_views() as there join duckdb_views() as ours using (view_name)"
        " where there.database_name = 'found' and ours.database_name = 'expected' and there.sql <> ours.sql"
        " and (select views_hash from found.schema_info) = (select views_hash from expected.schema_info) order by all"
    )
    return [f"view {name}: it is not autoreg's" for (name,) in names.fetchall()]


def _differences(connection: Connection) -> list[str]:
    missing: dict[str, dict[str, int]] = defaultdict(dict)
    surplus: dict[str, dict[str, int]] = defaultdict(dict)
    columns = {name: _columns(connection, name) for name in ("expected", "found")}
    for table in sorted({*columns["expected"], *columns["found"]} - {*_OTHER_TABLES}):
        shape = columns["expected"].get(table) or columns["found"][table]
        key = "sweep_id" if table.startswith("sweep") else "trial_id"
        for one, other, where in (("expected", "found", missing), ("found", "expected", surplus)):
            if table not in columns[one]:
                continue
            listed = ", ".join(map(_quoted, shape))
            rows = f"select {listed} from {one}.{_quoted(table)}"
            if table in columns[other]:
                rows += f" except all select {listed} from {other}.{_quoted(table)}"
            counted = connection.execute(f"select {key}, count(*) from ({rows}) group by all order by all")
            for name, count in counted.fetchall():
                where[f"{key.removesuffix('_id')} {name}"][table] = count
    lines = []
    for name in sorted({*missing, *surplus}):
        parts = []
        if missing[name]:
            parts.append(f"rows are missing: {_counts(missing[name])}")
        if surplus[name]:
            parts.append(f"rows that the run folder does not have: {_counts(surplus[name])}")
        lines.append(f"{name}: {'; '.join(parts)}")
    return lines


def _columns(connection: Connection, database: str) -> dict[str, list[str]]:
    rows = connection.execute(
        "select table_name, list(column_name order by column_name) from duckdb_columns() where database_name = ?"
        " and table_name in (select table_name from duckdb_tables() where database_name = ?) group by all",
        [database, database],
    )
    return dict(rows.fetchall())


def _quoted(name: str) -> str:
    """Return a name as SQL takes it: in a stranger's database, tables and columns may be called anything."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _counts(tables: dict[str, int]) -> str:
    return ", ".join(f"{count} of {table}" for table, count in sorted(tables.items()))
