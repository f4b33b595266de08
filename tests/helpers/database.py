"""All rows of a results.db, to compare two of them."""

from pathlib import Path
from typing import Any

from autoreg.database.connection import reading

TABLES = ("sweeps", "sweep_trials", "sweep_measurements", "trials", "epochs", "layers", "measurements", "ablation",
          "correlations", "units")  # fmt: skip


def contents(path: Path) -> dict[str, list[Any]]:
    with reading(path) as connection:
        return {table: sorted(connection.execute(f"select * from {table}").fetchall(), key=repr) for table in TABLES}
