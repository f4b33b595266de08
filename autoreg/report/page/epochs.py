"""Training curves: every epoch of every trial, or some of each if there are too many."""

import polars as pl

from autoreg.database.connection import query
from autoreg.database.schema import Connection

#: Epochs of all trials that the page has at most, before it thins each curve.
MOST_EPOCHS = 60_000
#: Points of a thinned curve, about.
POINTS = 24

_EPOCHS = """
    select distinct
        trial_id as id, epoch,
        train_accuracy as ta, validation_accuracy as va, train_loss as tl, validation_loss as vl
    from epochs
    join sweep_trials using (trial_id)
    where sweep_id = $id
    order by id, epoch
"""


def read_epochs(connection: Connection, sweep_id: str, ids: list[str]) -> tuple[pl.DataFrame, str | None]:
    """Return the epochs, sorted, each with its trial's place in `ids`, and what was left out, if anything was."""
    frame = query(connection, _EPOCHS, id=sweep_id)
    place = {trial: index for index, trial in reversed([*enumerate(ids)])}
    frame = frame.select(pl.col("id").replace_strict(place, return_dtype=pl.Int64).alias("trial"), pl.exclude("id"))
    if frame.height <= MOST_EPOCHS:
        return frame, None
    last = pl.col("epoch").max().over("trial")
    step = (last / POINTS).ceil().cast(pl.Int64)
    thinned = frame.filter(((last - pl.col("epoch")) % step == 0) | (pl.col("epoch") == 1))
    return thinned, f"Of training curves {thinned.height:,} of {frame.height:,} epochs are here, some {POINTS} of each."
