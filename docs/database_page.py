"""Writes docs/database.md from what an empty results.db says of itself: `python docs/database_page.py`."""

import re
from pathlib import Path

from autoreg.database.connection import in_memory, query
from autoreg.database.schema import SCHEMA_VERSION, Connection, described_tables, view_texts
from autoreg.packaged import packaged_folder

HEAD = f"""\
# results.db

Version {SCHEMA_VERSION}. Every results.db carries these descriptions; this page is made from them by `make docs`. Times
are UTC; accuracies, fractions and shares lie in [0, 1]; what does not exist (a loss that was not finite, a dead unit's
correlation) is null.

    duckdb -readonly results.db "select view_name, comment from duckdb_views() where not internal"
    duckdb -readonly results.db "select column_name, comment from duckdb_columns() where table_name = 'final_trials'"
    duckdb -readonly results.db "from final_trials"
    autoreg query "select width, avg(test_accuracy) from trials where kind = 'final' group by all order by all"

## Tables

Those of a metric are made by the SQL file beside it in [autoreg/metrics](../autoreg/metrics), the last ones, from
`published` on, by [reference](../reference), all others by [schema.sql](../autoreg/database/schema.sql).
"""
VIEWS = """
## Views

Each is one file. `staging` names and joins, `metrics` computes scores, `reports` are what figures and tables show.
"""


def tables(connection: Connection) -> list[str]:
    lines = []
    for name, about, _ in described_tables():
        lines += ["", f"### {name}", "", about, "", *columns(connection, name)]
    return lines


def columns(connection: Connection, name: str) -> list[str]:
    sql = """
        select column_name, lower(data_type), comment
        from duckdb_columns()
        where table_name = $name
        order by column_index
    """
    rows = query(connection, sql, name=name).rows()
    return ["| column | type | what it is |", "|---|---|---|", *(row(cells) for cells in rows)]


def views(connection: Connection) -> list[str]:
    lines = []
    for folder in ("staging", "metrics", "reports"):
        for name in sorted(path.stem for path in packaged_folder("analysis_sql").glob(f"{folder}/*.sql")):
            sql = "select comment from duckdb_views() where view_name = $name"
            about, _, grain = query(connection, sql, name=name)["comment"][0].partition(" grain: ")
            lines += ["", f"### {name}", "", about, "", f"In `{folder}`, one row for each {grain}.", ""]
            passed_on = re.search(r"^select \* exclude \(figures\)\nfrom (\w+)$", view_texts()[name], re.MULTILINE)
            lines += [f"Its columns are those of {passed_on[1]}."] if passed_on else columns(connection, name)
    return lines


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def page() -> str:
    with in_memory() as connection:
        return "\n".join([HEAD.rstrip(), *tables(connection), VIEWS.rstrip(), *views(connection)]) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("database.md").write_text(page(), encoding="utf-8")
