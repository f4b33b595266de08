"""Figure B5: accuracy, removable and repeated units of the MLP by initial sigma."""

import polars as pl
from matplotlib.figure import Figure

from autoreg.figures.width_panels import ACCURACY, REMOVABILITY, REPETITION, draw_panels


def draw(frame: pl.DataFrame) -> Figure:
    """Return accuracy, AUC (bars: deviation over replicates) and similar units (bars: over units) against width."""
    return draw_panels(frame, [ACCURACY, REMOVABILITY, REPETITION])
