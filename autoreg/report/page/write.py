"""The page's file: what `content` reads, put into the template with what it carries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from autoreg.database.connection import path_of
from autoreg.database.queries import sweep_status
from autoreg.database.schema import Connection
from autoreg.errors import DataError
from autoreg.files import write_text
from autoreg.report.figures.source import FigureSource
from autoreg.report.page import inline
from autoreg.report.page.content import read_sweep
from autoreg.report.provenance import versions
from autoreg.runs.folder import Runs


@dataclass(frozen=True)
class Page:
    """The results of some sweeps, read; `html` makes the page of them.

    Attributes:
        database: the file's name.
        sweeps: what each one's section shows, the latest first.
        version: another one for other results.
    """

    database: str
    sweeps: list[dict[str, Any]]
    version: str

    def html(self, live: bool = False) -> str:
        """Return the page.

        Args:
            live: whether it asks the server that it came from for newer results, which is all that it may ask for.
        """
        environment = Environment(
            loader=PackageLoader("autoreg.report.page", "."), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        library, script = inline.library(), inline.script()
        return environment.get_template("page.html.j2").render(
            database=self.database, sweeps=self.sweeps, versions=versions(), version=self.version, live=live,
            style=inline.style(), library=Markup(library), script=Markup(script),
            digests=f"{inline.digest(library)} {inline.digest(script)}", as_data=inline.as_script_data,
            data_uri=inline.data_uri, made_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        )  # fmt: skip


def read_page(
    connection: Connection,
    definition: str = "released",
    sweep: str | None = None,
    runs: Path | None = None,
    own: Sequence[FigureSource] = (),
) -> Page:
    """Read what a page shows of results.db.

    Args:
        connection: to results.db.
        definition: `released` or `text`, of removability and similarity: which is shown first.
        sweep: a sweep's name or id, to show that alone.
        runs: the run folder, for the ends of the trials' logs; None leaves them out.
        own: figures of the user's own.

    Raises:
        ConfigError: a figure of the user's own is wrong.
        DataError: results.db has no sweep yet.
        DatabaseError: it cannot be read.
    """
    states = [row for row in sweep_status(connection) if sweep in (None, row["name"], row["sweep_id"])]
    if not states:
        raise DataError(f"{path_of(connection)} has no sweep{f' {sweep!r}' if sweep else ''} yet")
    folder = Runs(runs) if runs and runs.is_dir() else None
    sweeps = [read_sweep(connection, state, definition, folder, own) for state in reversed(states)]
    return Page(path_of(connection).name, sweeps, sha256(repr(states).encode()).hexdigest()[:16])


def write_page(page: Page, out: Path) -> Path:
    """Write `report.html` into a folder, whole or not at all, and return its path."""
    path = out / "report.html"
    write_text(path, page.html())
    return path
