"""Figures: one SQL view and one drawing of the same name each; dropping both adds a figure.

A drawing is a module `figure_<name>.py` with a function `draw(frame) -> Figure`; it reads no database and writes no
file. The view is `analysis_sql/reports/figure_<name>.sql`.
"""

import importlib
import pkgutil
from collections.abc import Callable

import matplotlib as mpl
import polars as pl
from matplotlib.figure import Figure

from autoreg.errors import ConfigError
from autoreg.figures.style import SETTINGS
from autoreg.registry import did_you_mean

Draw = Callable[[pl.DataFrame], Figure]


def figure_names() -> list[str]:
    """Return the names of all figures as people write them: `2`, `6`, `B5`."""
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    names = [name.removeprefix("figure_").upper() for name in modules if name.startswith("figure_")]
    return sorted(names, key=lambda name: (not name[0].isdigit(), name))


def view_of(name: str) -> str:
    """Return the view that a figure shows. Raises ConfigError for an unknown figure."""
    if name.upper() not in figure_names():
        raise ConfigError(f"unknown figure {name!r}{did_you_mean(name.upper(), figure_names())}")
    return f"figure_{name.lower()}"


def drawing_of(name: str) -> Draw:
    """Return the function that draws a figure, in the style of the house. Raises ConfigError for an unknown figure."""
    draw: Draw = importlib.import_module(f"autoreg.figures.{view_of(name)}").draw

    def styled(frame: pl.DataFrame) -> Figure:
        with mpl.rc_context(SETTINGS):
            return draw(frame)

    return styled
