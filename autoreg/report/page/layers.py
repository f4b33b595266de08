"""Scores of each layer by series and width, for maps of a network layer by layer."""

import polars as pl

from autoreg.database.connection import query
from autoreg.database.schema import Connection

_LAYERS = """
    select definition, split, series, width, layer, layer_index, auc, similar_units as similar, dead_share as dead
    from layer_scores_by_width
    where sweep_id = $id
    order by definition, split, series, width, layer_index, layer
"""


def read_layers(connection: Connection, sweep_id: str) -> pl.DataFrame:
    """Return one row for each definition, split, series, width and layer; none if no network has two layers."""
    frame = query(connection, _LAYERS, id=sweep_id)
    alike = ["definition", "split", "series", "width"]
    return frame if frame.filter(pl.len().over(alike) > 1).height else frame.clear()
