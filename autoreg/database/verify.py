"""Whether results.db says what the run folder says, row for row."""

import shutil
import tempfile
from collections import defaultdict
from contextlib import closing
from itertools import permutations
from pathlib import Path

import duckdb

from autoreg.database.connection import failed, reading
from autoreg.database.custom import literal, quoted
from autoreg.database.foreign import foreign
from autoreg.database.schema import ADVICE, REFERENCE_TABLES, Connection, view_texts
from autoreg.database.writer import rebuild
from autoreg.errors import DamagedDatabase, first_line
from autoreg.runs.folder import Runs

#: Tables that are the same in every database, or are not about trials.
_OTHER_TABLES = ("schema_info", *REFERENCE_TABLES)

#: Whether the database says to have this version's views and tables of reference.
_SAYS_TO_HAVE_THESE = "select (select views_hash from given.schema_info) = (select views_hash from remade.schema_info)"

#: What is said of rows that are only in the database made again, and of those only in the one that is verified.
_SURPLUS = {"remade": "rows are missing", "given": "rows that the run folder does not have"}


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
        copy, remade = Path(folder) / "given.db", Path(folder) / "remade.db"
        others = _read_and_copy(path, copy)
        _, lines = rebuild(remade, runs)
        try:
            with closing(duckdb.connect()) as connection:
                for database in (copy, remade):
                    connection.execute(f"attach {literal(str(database.absolute()))} as {database.stem} (read_only)")
                connection.execute("set enable_external_access = false")  # what is attached stays readable
                if connection.execute(_SAYS_TO_HAVE_THESE).fetchone() == (True,):
                    lines += _other_views(connection) + _other_references(connection)
                return lines + _differences(connection, others)
        except duckdb.Error as error:
            raise DamagedDatabase(f"{path} is damaged; {ADVICE} ({first_line(error)})") from error


def _read_and_copy(path: Path, copy: Path) -> list[str]:
    """Look at every view of a database and copy it, while no sweep writes to it; what is compared may take long.

    Return the names of what in it is not autoreg's.

    There is damage that only a query with conditions meets, and a plain comparison does not.
    """
    with reading(path) as connection:
        for name in view_texts():
            try:  # without a frame of its rows, for which DuckDB would plan each view twice
                connection.execute(f"select count(*) from (select * from {name} order by all)").fetchall()
            except duckdb.Error as error:
                raise failed(error) from error
        for suffix in ("", ".wal"):
            if (part := path.with_name(path.name + suffix)).is_file():
                shutil.copyfile(part, copy.with_name(copy.name + suffix))
        return [one.name for one in foreign(connection)]


def _other_views(connection: Connection) -> list[str]:
    """Return a line for each view that stands where this version's should."""
    names = connection.execute(
        "select view_name from duckdb_views() as theirs join duckdb_views() as ours using (view_name)"
        " where theirs.database_name = 'given' and ours.database_name = 'remade'"
        " and theirs.sql <> ours.sql order by all"
    )
    return [f"view {name}: it is not autoreg's" for (name,) in names.fetchall()]


def _other_references(connection: Connection) -> list[str]:
    """Return a line for each table of reference with other rows than this version's."""
    there, lines = _columns(connection, "given"), []
    for table in (name for name in REFERENCE_TABLES if name in there):
        one, other = (f"select * from {database}.{table}" for database in _SURPLUS)
        surplus = f"select 1 from (({one} except all {other}) union all ({other} except all {one})) limit 1"
        if connection.execute(surplus).fetchone():
            lines.append(f"table {table}: its rows are not autoreg's; {ADVICE}")
    return lines


def _differences(connection: Connection, others: list[str]) -> list[str]:
    surplus: dict[str, dict[str, list[str]]] = defaultdict(lambda: {database: [] for database in _SURPLUS})
    columns = {database: _columns(connection, database) for database in _SURPLUS}
    for table in sorted({*columns["remade"]} | {*columns["given"]} - {*others}):
        if table in _OTHER_TABLES:
            continue
        names = columns["remade"].get(table) or columns["given"][table]
        listed, key = ", ".join(map(quoted, names)), "sweep_id" if "sweep_id" in names else "trial_id"
        for database, other in permutations(_SURPLUS):
            if table not in columns[database]:
                continue
            rows = f"select {listed} from {database}.{quoted(table)}"
            if table in columns[other]:
                rows += f" except all select {listed} from {other}.{quoted(table)}"
            counted = connection.execute(f"select {key}, count(*) from ({rows}) group by all order by all")
            for name, count in counted.fetchall():
                surplus[f"{key.removesuffix('_id')} {name}"][database].append(f"{count} of {table}")
    lines = []
    for name, parts in sorted(surplus.items()):
        said = (f"{_SURPLUS[database]}: {', '.join(counts)}" for database, counts in parts.items() if counts)
        lines.append(f"{name}: {'; '.join(said)}")
    return lines


def _columns(connection: Connection, database: str) -> dict[str, list[str]]:
    rows = connection.execute(
        "select table_name, list(column_name order by column_name)"
        " from duckdb_columns() join duckdb_tables() using (database_name, schema_name, table_name)"
        " where database_name = ? and schema_name = 'main' group by all",
        [database],
    )
    return dict(rows.fetchall())
