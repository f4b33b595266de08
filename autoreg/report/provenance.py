"""What a report and the trials in it were made with."""

import platform
import re
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

from autoreg import __version__
from autoreg.config.trial import content_id
from autoreg.database.connection import query
from autoreg.database.schema import Connection, reference_texts, sources_of, view_texts
from autoreg.report.figures.source import FigureSource

#: What every figure reads beside its own view.
PUBLISHED = ("published_points", "published_names")
_IMPORTED = re.compile(r"^from autoreg\.report\.figures(?:\.| import )(\w+)", re.MULTILINE)


def versions() -> dict[str, str]:
    """Return the versions of what makes a report."""
    packages = ("duckdb", "matplotlib", "polars")
    return {"autoreg": __version__, "python": platform.python_version()} | {name: version(name) for name in packages}


def trained_with(connection: Connection, sweep_id: str) -> dict[str, str]:
    """Return the versions, commits and machines of a sweep's trials, several values of one kind with commas between."""
    sql = """
        select key, string_agg(distinct value ->> '$', ', ' order by value ->> '$')
        from (select environment from sweep_trials join trials using (trial_id) where sweep_id = $id),
            json_each(environment)
        group by key
        order by key
    """
    return dict(query(connection, sql, id=sweep_id).iter_rows())


def made_by(figure: FigureSource) -> str:
    """Return a hash of a figure's view with all that it reads, and of its drawing with what this imports of drawings.

    By it a picture of an older version is known.

    Raises:
        ConfigError: a figure of the user's own has no drawing, or cannot be read.
    """
    drawing, _ = figure.drawing()
    files = {path.stem: path for path in [*(Path(__file__).parent / "figures").glob("*.py"), drawing]}
    drawings = {name: path.read_text(encoding="utf-8") for name, path in files.items()}
    views = {**reference_texts(), **view_texts(), figure.view: figure.sql()}
    rows = _with_all_behind([figure.view, *PUBLISHED], views, sources_of)
    return content_id([rows, _with_all_behind([drawing.stem], drawings, _IMPORTED.findall)])


def _with_all_behind(
    names: Iterable[str], texts: Mapping[str, str], read: Callable[[str], Iterable[str]]
) -> dict[str, str]:
    """Return the texts of these names, of those that they read, and so on."""
    found, waiting = dict[str, str](), [*names]
    while waiting:
        if (name := waiting.pop()) in texts and name not in found:
            found[name] = texts[name]
            waiting += read(texts[name])
    return found
