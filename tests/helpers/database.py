"""All rows of a results.db, to compare two of them."""

from pathlib import Path
from typing import Any

from autoreg.database.connection import open_for_reading

TABLES = ("sweeps", "sweep_trials", "sweep_measurements", "trials", "epochs", "layers", "measurements", "ablation",
          "correlations", "units")  # fmt: skip


def contents(path: Path) -> dict[str, list[Any]]:
    connection = open_for_reading(path)
    rows = {table: sorted(connection.execute(f"select * from {table}").fetchall(), key=repr) for table in TABLES}
    connection.close()
    return rows
