"""What stands below a figure, small and grey."""

import textwrap
from collections.abc import Sequence

import polars as pl
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from autoreg.report.figures.style import DEVIATION, HOLLOW, PALE


def describe_sources(figure: Figure, frame: pl.DataFrame, columns: Sequence[str], bars: str = DEVIATION) -> None:
    """Write below a figure which networks, data and how many replicates it shows, and what its bars and points mean.

    If similar units are among its columns, it also says how far random choices of vectors differ, which bars do not.
    """
    networks, datasets = (", ".join(frame[name].unique().sort().to_list()) for name in ("network", "dataset"))
    known = "similar_units" in columns and "similar_units_sample_std" in frame.columns
    spreads = frame["similar_units_sample_std"].drop_nulls().to_list() if known else []
    spread = f"; similar units: up to ±{max(spreads):.2g} over samples of vectors" if any(spreads) else ""
    marks = "".join(f"; {mark}" for mark in _marks(figure, bars))
    text = f"{networks} on {datasets}, {replicates_of(frame)} a point{spread}{marks}"
    add_note(figure, textwrap.fill(text, width=55 * len(figure.axes[:3])))


def replicates_of(frame: pl.DataFrame) -> str:
    """Return how many replicates are behind a figure's points: `3 replicates`, `1–3 replicates`."""
    low, high = min(frame["replicates"].to_list()), max(frame["replicates"].to_list())
    return f"{low} replicate{'' if low == 1 else 's'}" if low == high else f"{low}–{high} replicates"


def add_note(figure: Figure, *lines: str) -> None:
    """Write lines below a figure, after those that are there."""
    figure.supxlabel("\n".join(filter(None, [figure.get_supxlabel(), *lines])), fontsize=7, color="#555555")


def _marks(figure: Figure, of_bars: str) -> list[str]:
    """Return what the bars and the hollow points that a figure has mean."""
    drawn = {artist.get_gid() for axes in figure.axes for artist in axes.get_children()}
    bars = [bar for axes in figure.axes for bar in axes.containers if isinstance(bar, ErrorbarContainer)]
    means = {
        f"bars: {of_bars}": any(bar.has_yerr for bar in bars),
        "pale bars: ± standard deviation over a network's units": PALE in drawn,
        "hollow: trained, not measured": HOLLOW in drawn,
    }
    return [text for text, is_there in means.items() if is_there]
