"""results.db for Python and notebooks: frames of Polars, figures of matplotlib; neither torch nor ray."""

import os
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autoreg.database.connection import query, reading, table_names
from autoreg.database.queries import chosen_sweeps
from autoreg.errors import ConfigError, DataError, did_you_mean
from autoreg.report.figure import FigureRows, figures_with_data, picture, read_figure
from autoreg.report.figures import width_panels
from autoreg.report.figures.source import find_figures
from autoreg.report.figures.style import SETTINGS, as_names
from autoreg.report.findings import cautions, findings
from autoreg.report.table import read_table


class Results:
    """A result database. It is opened for each question and closed again, so that a sweep can write in between.

        results = autoreg.Results("results.db")
        results.query("select width, avg(test_accuracy) from final_trials group by width order by width")
        results.figure("B5")

    Args:
        path: results.db.

    Raises:
        DataError: it does not exist.
        DatabaseError: it is damaged, from another version, or held by another process.
    """

    def __init__(self, path: str | os.PathLike[str] = "results.db") -> None:
        self.path = Path(path)
        self.names()

    def __repr__(self) -> str:
        return f"Results({str(self.path)!r})"

    def query(self, sql: str, **parameters: Any) -> pl.DataFrame:
        """Return the rows of a query; `$name` in it stands for the parameter of that name.

        Args:
            sql: of DuckDB, over `names()`.
            parameters: values by name: `query("from trials where width = $width", width=0.25)`.

        Raises:
            DatabaseError: the query is wrong, or results.db cannot be read.
        """
        with reading(self.path) as connection:
            return query(connection, sql, **parameters)

    def names(self) -> list[str]:
        """Return the names of all tables and views."""
        with reading(self.path) as connection:
            return table_names(connection)

    def table(self, name: str) -> pl.DataFrame:
        """Return all rows of a table or view. Raises ConfigError if there is none of that name."""
        with reading(self.path) as connection:
            if name not in (names := table_names(connection)):
                raise ConfigError(f"no table or view {name!r}{did_you_mean(name, names)}")
            return query(connection, f'from "{name}"')

    def figures(self) -> list[str]:
        """Return the names of the figures that have trials."""
        with reading(self.path) as connection:
            return figures_with_data(connection)

    def figure(self, name: str, definition: str = "released", sweep: str | None = None) -> Figure:
        """Return a figure, which a notebook shows: `6`, `1a`, `B5`, or the path of a view of one's own.

        Args:
            name: the figure's.
            definition: `released` or `text`, of removability and similarity.
            sweep: a sweep's name or id; None takes the latest that feeds it.

        Raises:
            ConfigError: there is no such figure or sweep.
            DataError: it has no measured trial.
        """
        figure = self._rows(name, definition, sweep).draw()
        vars(figure)["_repr_png_"] = partial(picture, figure, "png")  # a notebook shows of itself those of pyplot only
        return figure

    def frame(self, name: str, definition: str = "released", sweep: str | None = None) -> pl.DataFrame:
        """Return the rows that a figure shows; arguments and errors are those of `figure`."""
        return self._rows(name, definition, sweep).frame

    def draw(self, name: str, column: str, axes: Axes, definition: str = "released", sweep: str | None = None) -> None:
        """Draw a figure's panel of one score against width into axes, which may be of a figure of one's own.

        Args:
            name: the figure's.
            column: the score: `auc`, `similar_units`, `test_accuracy`, `train_accuracy`, or another that it has.
            axes: are drawn into; their legend and title are the caller's.
            definition: `released` or `text`, of removability and similarity.
            sweep: a sweep's name or id; None takes the latest that feeds it.

        Raises:
            ConfigError: there is no such figure or sweep, or the figure has no such panel.
            DataError: it has no measured trial.
        """
        rows = self._rows(name, definition, sweep)
        with mpl.rc_context(SETTINGS):
            width_panels.draw_panel(axes, as_names(rows.frame), rows.published, column, rows.unmeasured)

    def report(self, table: str, sweep: str | None = None) -> pl.DataFrame:
        """Return the rows of a report's table, with every column.

        Args:
            table: `1`, `comparison` or `verdicts`.
            sweep: a sweep's name or id; None takes the latest of each name.

        Raises:
            ConfigError: there is no such table or sweep.
            DataError: it has no row yet.
        """
        with reading(self.path) as connection:
            return read_table(connection, table, sweep).frame

    def findings(self, sweep: str | None = None, definition: str = "released") -> list[str]:
        """Return what a sweep found and what to beware of, in sentences with numbers.

        Args:
            sweep: a sweep's name or id; None takes the latest.
            definition: `released` or `text`, of removability and similarity.

        Raises:
            ConfigError: there is no such sweep.
            DataError: there is no sweep at all.
        """
        with reading(self.path) as connection:
            if not (sweeps := chosen_sweeps(connection, sweep)):
                raise DataError(f"{self.path} has no sweep yet")
            return [line for tell in (findings, cautions) for line in tell(connection, sweeps[-1], definition)]

    def _rows(self, name: str, definition: str, sweep: str | None) -> FigureRows:
        sources = find_figures(name)
        if len(sources) > 1:
            panels = ", ".join(source.name for source in sources)
            raise ConfigError(f"figure {name} has several panels, each a figure of its own: {panels}")
        with reading(self.path) as connection:
            return read_figure(connection, sources[0], definition, sweep)
