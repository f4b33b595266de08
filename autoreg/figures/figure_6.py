"""Figure 6: removable and repeated units of AlexNet by initializer."""

import polars as pl
from matplotlib.figure import Figure

from autoreg.figures.width_panels import REMOVABILITY, REPETITION, draw_panels


def draw(frame: pl.DataFrame) -> Figure:
    """Return AUC (bars: deviation over replicates) and similar units (bars: deviation over units) against width."""
    return draw_panels(frame, [REMOVABILITY, REPETITION])
