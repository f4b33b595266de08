"""What a report and the trials in it were made with."""

import platform
from importlib.metadata import version

from autoreg import __version__
from autoreg.database.connection import query
from autoreg.database.schema import Connection


def versions() -> dict[str, str]:
    """Return the versions of what makes a report."""
    packages = ("duckdb", "matplotlib", "polars")
    return {"autoreg": __version__, "python": platform.python_version()} | {name: version(name) for name in packages}


def trained_with(connection: Connection, sweep_id: str) -> dict[str, str]:
    """Return the versions, commits and machines of a sweep's trials, several values of one kind with commas between."""
    sql = """
        select key, string_agg(distinct value ->> '$', ', ' order by value ->> '$')
        from (select environment from sweep_trials join trials using (trial_id) where sweep_id = $id),
            json_each(environment)
        group by key
        order by key
    """
    return dict(query(connection, sql, id=sweep_id).iter_rows())
