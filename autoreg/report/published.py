"""Which of the paper's points may stand behind a figure."""

import polars as pl

from autoreg.database.connection import query
from autoreg.database.schema import Connection


def published_points(connection: Connection, figure: str, frame: pl.DataFrame, definition: str) -> pl.DataFrame:
    """Return the paper's points for a frame, of its series' networks and data; they were made by `released` alone."""
    sql = "select * from published_points where figure = $figure and $definition = 'released'"
    points = query(connection, sql, figure=figure, definition=definition)
    if not {"network", "dataset", "series"}.issubset(frame.columns):
        return points.clear()
    named = frame.join(query(connection, "from published_names"), on=["network", "dataset"])
    same = {"series", "split", "teacher_examples", "paper_network", "paper_dataset"}.intersection(named.columns)
    return points.join(named, on=sorted(same), how="semi")
