"""Tables of the metrics that users add: one for each version, and a view over them that has what is current.

`mymetrics:sparsity` gives the tables `"mymetrics_sparsity version 1"`, `"mymetrics_sparsity version 2"`, …, with all
that was ever measured, and the view `mymetrics_sparsity`: of each trial what the latest sweep with it asks for, and
nothing else, so that a join with it counts nothing twice. What that is, the sweeps' records say; no code of the user's
is run for it.
"""

import re
from collections.abc import Container

import duckdb

Connection = duckdb.DuckDBPyConnection


def literal(text: str) -> str:
    """Return a text as SQL takes it."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def quoted(name: str) -> str:
    """Return a name as SQL takes it: somebody's own tables and columns may be called anything."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def view_of(metric: str) -> str:
    """Return the name of a metric's view: `mymetrics_sparsity` of `mymetrics:sparsity`."""
    return re.sub("[:.]", "_", metric)


def table_of(metric: str, version: int) -> str:
    """Return the name of the table that has what was measured by a version of a metric."""
    return f"{view_of(metric)} version {version}"


def measured(connection: Connection, packaged: Container[str]) -> list[tuple[str, int]]:
    """Return the custom metrics of which there are measurements, each with every version, the current one last.

    Args:
        connection: to results.db.
        packaged: the metrics that are no custom ones.
    """
    rows = connection.execute("""
        select metric, version
        from measurements
        left join sweep_measurements using (measurement_id, metric)
        left join sweeps using (sweep_id)
        group by all
        order by metric, max(updated_at) nulls first, version
    """)
    return [(metric, version) for metric, version in rows.fetchall() if metric not in packaged]


def make_views(connection: Connection, packaged: Container[str]) -> None:
    """Make the view of each custom metric anew, since what is current may have changed."""
    for metric, version in dict(measured(connection, packaged)).items():
        view = quoted(view_of(metric))
        connection.execute(f"""
            create or replace view {view} as
            from {quoted(table_of(metric, version))} semi join current_measurements using (trial_id, measurement_id)
        """)
        about = f"Rows of version {version} of {metric}, of each trial those that its latest sweep asks for."
        connection.execute(f"comment on view {view} is {literal(about)}")


def split_versions(connection: Connection, packaged: Container[str]) -> None:
    """Bring a database of version 3, which had one table for all versions of a metric, to version 4."""
    metrics = measured(connection, packaged)
    for metric, version in metrics:
        connection.execute(
            f"""
            create table {quoted(table_of(metric, version))} as
            from {quoted(view_of(metric))}
            where (trial_id, measurement_id) in (
                select (trial_id, measurement_id) from measurements where metric = $metric and version = $version
            )
        """,
            {"metric": metric, "version": version},
        )
    for metric in dict(metrics):
        connection.execute(f"drop table {quoted(view_of(metric))}")
