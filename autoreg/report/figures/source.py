"""Figures: one SQL view each, which names its drawing; dropping a file into `analysis_sql/reports` adds a figure.

The view is `figure_<name>.sql`. Its third line, `-- drawing: width_panels auc similar_units`, names a module of this
package and what is handed to its `draw(frame, published, *arguments) -> Figure`; a drawing reads no database and writes
no file. A figure of a user's own is any such file, given by its path; without the third line its drawing is the
function `draw` in the Python file of the same name beside it.
"""

import importlib
import importlib.util
import os
import re
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

import matplotlib as mpl
import polars as pl
from matplotlib.figure import Figure

from autoreg.errors import ConfigError, first_line, shown, with_kind
from autoreg.packaged import expand_figure, packaged_folder
from autoreg.report.figures.style import SETTINGS, as_names, fonts_for


@dataclass(frozen=True)
class FigureSource:
    """Where a figure comes from.

    Attributes:
        name: as people write it: `6`, `B5`; or the stem of a user's own file.
        path: the SQL file.
        is_packaged: whether its view is one of autoreg's own.
    """

    name: str
    path: Path
    is_packaged: bool

    @property
    def view(self) -> str:
        """The name of its view; a figure of the user's own must not take the name of one of ours."""
        return self.path.stem if self.is_packaged else f"own_{self.path.stem}"

    def sql(self) -> str:
        """Return the query. Raises ConfigError if the file cannot be read as text."""
        try:
            return self.path.read_text(encoding="utf-8").rstrip().rstrip(";")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self.path}: cannot be read: {first_line(error)}") from error

    def draw(self, frame: pl.DataFrame, published: pl.DataFrame, unmeasured: pl.DataFrame | None = None) -> Figure:
        """Return the figure in the style of the house, without touching the user's own matplotlib settings.

        Args:
            frame: the view's rows.
            published: the paper's points for this figure, columns series, width, x, score, value; may be empty.
            unmeasured: trials that are trained but not measured, for a drawing that takes them.

        Raises:
            ConfigError: a figure of the user's own has no drawing, or the drawing failed.
        """
        with mpl.rc_context({**SETTINGS, "font.family": fonts_for(frame)[0]}):
            try:
                path, arguments = self.drawing()
                draw = _module_of(path).draw
                takes = "unmeasured" in signature(draw).parameters
                more = {"unmeasured": as_names(unmeasured)} if takes and unmeasured is not None else {}
                drawn: Figure = draw(as_names(frame), published, *arguments, **more)
                if not isinstance(drawn, Figure):
                    raise TypeError(f"draw must return a matplotlib Figure, got {drawn!r}")
            except Exception as error:
                if self.is_packaged or isinstance(error, ConfigError):
                    raise
                # the file is the user's: anything may go wrong in it
                raise ConfigError(f"{self.path}: its drawing failed: {with_kind(error)}") from error
        return drawn

    def drawing(self) -> tuple[Path, list[str]]:
        """Return the Python file that draws it, and what is handed to its `draw`. Raises ConfigError if it has none."""
        named = re.search(r"^-- drawing: (\w+) *(.*)$", self.sql(), re.MULTILINE)
        path = Path(__file__).with_name(f"{named[1]}.py") if named else self.path.with_suffix(".py")
        if not path.is_file():
            rule = f"a figure needs a line `-- drawing: …`, or {path.name} beside it"
            raise ConfigError(f"{self.path}: {f'no drawing is called {named[1]!r}' if named else rule}")
        return path, named[2].split() if named else []

    def packaged_drawing(self) -> tuple[str, list[str]] | None:
        """Return the name of the packaged drawing it has, and what is handed to that; None if it has one of its own."""
        path, arguments = self.drawing()
        return (path.stem, arguments) if path.parent == Path(__file__).parent else None


def _module_of(drawing: Path) -> Any:
    if drawing.parent == Path(__file__).parent:
        return importlib.import_module(f"autoreg.report.figures.{drawing.stem}")
    spec = importlib.util.spec_from_file_location(drawing.stem, drawing)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def find_figures(text: str) -> list[FigureSource]:
    """Return the figure of that name, the panels `1a`, `1b`, `1c` for `1`, or the user's own figure at that path.

    Raises:
        ConfigError: there is no such figure.
    """
    if text.endswith(".sql"):
        path = Path(text)
        if not os.path.isfile(path):  # noqa: PTH113, false and no error for a name that no file can have
            raise ConfigError(f"no figure file {shown(text)}")
        return [FigureSource(path.stem, path, is_packaged=False)]
    folder = packaged_folder("analysis_sql") / "reports"
    return [FigureSource(name, folder / f"figure_{name.lower()}.sql", is_packaged=True) for name in expand_figure(text)]
