"""`autoreg status`: how far each sweep is, and what runs right now."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoreg.cli.options import DATABASE, JSON, RUNS, print_json
from autoreg.errors import ConfigError, printable

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table

    from autoreg.orchestrator.progress.live_file import LiveState

#: `status --watch` looks this often; rows come into results.db, and a sweep tells what runs, every two seconds.
SECONDS_BETWEEN_LOOKS = 2.0


@click.command()
@click.option("--watch", is_flag=True, help="Go on showing it until Ctrl-C.")
@DATABASE
@RUNS
@JSON
def status(watch: bool, database: Path, runs: Path, as_json: bool) -> None:
    """Show how far each sweep in results.db is, and what runs right now; works from any terminal.

    \b
    autoreg status
    autoreg status --watch
    autoreg status --json | jq '.[].failed'

    With --json, `running` has for each process that runs the sweep what its own table shows.
    """  # noqa: D301
    from rich.console import Console
    from rich.live_render import LiveRender

    from autoreg.orchestrator.progress.live_file import LIVE_STATE
    from autoreg.orchestrator.progress.terminal import is_interactive

    if watch and as_json:
        raise ConfigError("--watch shows lines, and no JSON: leave one of both out")
    if as_json:
        rows, running = _look(database, runs)
        for row in rows:
            states = [state for state in running if state.sweep_id == row["sweep_id"]]
            row["running"] = [LIVE_STATE.dump_python(state, mode="json") for state in states]
        print_json(rows)
        return
    if is_interactive(sys.stdout.isatty()):
        console = Console(highlight=False)
    else:  # every line has room
        console = Console(highlight=False, width=160, height=10_000, no_color=True, force_terminal=False)
    if not watch:
        console.print(_drawn(*_look(database, runs)))
    while watch:
        with console:  # in one piece, or it flickers
            console.clear()
            console.print(LiveRender(_drawn(*_look(database, runs))))  # which cuts it to the terminal's height
        time.sleep(SECONDS_BETWEEN_LOOKS)
        console.line()  # where nothing is cleared


def _look(database: Path, runs: Path) -> tuple[list[dict[str, Any]], list["LiveState"]]:
    """Return the sweeps in results.db, and what runs."""
    from autoreg.database.connection import reading
    from autoreg.database.queries import sweep_status
    from autoreg.orchestrator.progress.live_file import running_sweeps
    from autoreg.runs.folder import Runs

    with reading(database) as connection:
        return sweep_status(connection), running_sweeps(Runs(runs))


def _drawn(rows: list[dict[str, Any]], running: list["LiveState"]) -> "Group":
    from rich.console import Group
    from rich.text import Text

    from autoreg.orchestrator.progress.table import dashboard

    parts: list[RenderableType] = []
    for state in running:
        title = f"{state.name} {'is stopping' if state.counts.stopping else 'runs'} in process {state.process}"
        parts += [Text(printable(title), style="bold"), dashboard(state.counts), Text("")]
    return Group(*parts, _table(rows))


def _table(rows: list[dict[str, Any]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in ("sweep", "final", "measured", "tuning", "failed", "unmeasured", "updated", "id"):
        table.add_column(name, no_wrap=name != "id", overflow="ellipsis")  # the id alone may be cut
    for row in reversed(rows):
        finals, tuning = ("?" if row[key] is None else row[key] for key in ("final_trials", "tuning_trials"))
        cells = [
            row["name"],
            f"{row['final_done']}/{finals}",
            f"{row['measured']}/{finals}",
            f"{row['tuning_done']}/{tuning}",
            f"{row['failed']}",
            f"{row['unmeasured']}",
            row["updated_at"],
            row["sweep_id"],
        ]
        table.add_row(*(Text(printable(cell)) for cell in cells))  # names are a user's own, and no markup
    return table
