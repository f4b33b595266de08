"""Writes docs/database.md from the schema itself: `python docs/database_page.py`."""

import re
from pathlib import Path

from autoreg.database.connection import in_memory, query
from autoreg.database.schema import SCHEMA_VERSION, TABLES_SQL
from autoreg.packaged import packaged_folder

HEAD = f"""\
# results.db

Version {SCHEMA_VERSION}. This page is made from [schema.sql](../autoreg/database/schema.sql) and
[analysis_sql](../analysis_sql) by `make docs`. Times are UTC; accuracies, fractions and shares lie in [0, 1]; what does
not exist (a loss that was not finite, a dead unit's correlation) is null.

    duckdb -readonly results.db "from final_trials"
    autoreg query "select width, avg(test_accuracy) from trials where kind = 'final' group by all order by all"

## Tables
"""
VIEWS = """
## Views

Each is one file. `staging` names and joins, `metrics` computes scores, `reports` are what figures and tables show.
"""


def tables() -> list[str]:
    lines = []
    for about, name, body in re.findall(
        r"-- (One row[^\n]*)\ncreate table if not exists (\w+) \(\n(.*?)\n\);", TABLES_SQL, re.DOTALL
    ):
        lines += ["", f"### {name}", "", about, "", "| column | type | what it is |", "|---|---|---|"]
        for line in body.splitlines():
            column, kind, meaning = re.fullmatch(r'\s*"?(\w+)"? (.*?),?(?:\s*-- (.*))?', line).groups()
            lines.append(
                f"| {column} | {kind.removesuffix(' not null')} | {(meaning or '').replace('|', chr(92) + '|')} |"
            )
    return lines


def views() -> list[str]:
    lines = []
    with in_memory({}) as connection:
        for folder in ("staging", "metrics", "reports"):
            lines += [
                "",
                f"### {folder}",
                "",
                "| view | what it is | one row for each | other columns |",
                "|---|---|---|---|",
            ]
            for path in sorted((packaged_folder("analysis_sql") / folder).glob("*.sql")):
                about, grain = (line.removeprefix("-- ") for line in path.read_text(encoding="utf-8").splitlines()[:2])
                keys = grain.removeprefix("grain: ").split(", ")
                columns = query(connection, f"describe {path.stem}")["column_name"].to_list()
                rest = ", ".join(name for name in columns if name not in keys)
                cells = [path.stem, about, ", ".join(keys), rest]
                lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return lines


def page() -> str:
    return "\n".join([HEAD.rstrip(), *tables(), VIEWS.rstrip(), *views()]) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("database.md").write_text(page(), encoding="utf-8")
