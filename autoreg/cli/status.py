"""`autoreg status`: how far each sweep is, and what runs right now."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoreg.cli.options import DATABASE, JSON, RUNS
from autoreg.errors import ConfigError, Interrupted, printable

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.table import Table

    from autoreg.orchestrator.progress.live_file import LiveState

#: `status --watch` looks this often; rows come into results.db, and a sweep tells what runs, every two seconds.
SECONDS_BETWEEN_LOOKS = 2.0
#: Lines of a terminal that are kept for what runs, if anything does.
LINES_BELOW = 14
#: On a terminal that is narrower, the ids are left out.
COLUMNS_WITH_IDS = 100


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
    from autoreg.orchestrator.progress.terminal import is_interactive

    if watch and as_json:
        raise ConfigError("--watch shows lines, and no JSON: leave one of both out")
    if as_json:
        rows, running = _look(database, runs)
        found = [row | {"running": [asdict(state) for state in running[row["sweep_id"]]]} for row in rows]
        click.echo(json.dumps(found, indent=1))
        return
    console = _console()
    try:
        if not watch:
            console.print(_drawn(console, *_look(database, runs)))
        elif is_interactive(sys.stdout.isatty()):
            _watch(console, database, runs)
        while watch:
            console.print(_drawn(console, *_look(database, runs)))
            sys.stdout.flush()
            time.sleep(SECONDS_BETWEEN_LOOKS)
    except KeyboardInterrupt:
        sys.exit(Interrupted.exit_code)


def _look(database: Path, runs: Path) -> tuple[list[dict[str, Any]], dict[str, list["LiveState"]]]:
    """Return the sweeps in results.db, and for each of them by its id what runs of it."""
    from autoreg.database.connection import reading
    from autoreg.database.queries import sweep_status
    from autoreg.orchestrator.progress.live_file import running_sweeps
    from autoreg.runs.folder import Runs

    with reading(database) as connection:
        rows = sweep_status(connection)
    found = running_sweeps(Runs(runs))
    return rows, {row["sweep_id"]: [state for state in found if state.sweep_id == row["sweep_id"]] for row in rows}


def _watch(console: "Console", database: Path, runs: Path) -> None:
    """Show it in one place of a terminal, for ever."""
    from rich.live import Live

    with Live(_drawn(console, *_look(database, runs)), console=console, refresh_per_second=2) as live:
        while True:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            live.update(_drawn(console, *_look(database, runs)))


def _console() -> "Console":
    """Return stdout: a terminal of its own size, or one on which every line and row has room."""
    from rich.console import Console

    from autoreg.orchestrator.progress.terminal import is_interactive

    if is_interactive(sys.stdout.isatty()):
        return Console(highlight=False)
    return Console(highlight=False, width=160, height=10_000, no_color=True, force_terminal=False)


def _drawn(console: "Console", rows: list[dict[str, Any]], running: dict[str, list["LiveState"]]) -> "Group":
    from rich.console import Group
    from rich.text import Text

    from autoreg.orchestrator.progress.table import Dashboard

    states = [state for row in rows for state in running[row["sweep_id"]]]
    most = max(3, console.height - LINES_BELOW * bool(states) - 3)
    earlier = [Text(f"and {len(rows) - most} earlier sweeps", style="dim")] if len(rows) > most else []
    table = _table(rows[-most:], console.width >= COLUMNS_WITH_IDS)
    dashboards: list[Text | Dashboard] = []
    for state in states:
        title = f"{state.name} {'is stopping' if state.counts.stopping else 'runs'} in process {state.process}"
        dashboards += [Text(""), Dashboard(state.counts, printable(title), taken=table.row_count + 3)]
    return Group(*earlier, table, *dashboards)


def _table(rows: list[dict[str, Any]], with_ids: bool) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in ("sweep", "final", "measured", "tuning", "failed", "updated", *(["id"] if with_ids else [])):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for row in rows:
        finals, tuning = ("?" if row[key] is None else row[key] for key in ("final_trials", "tuning_trials"))
        cells = [
            row["name"],
            f"{row['final_done']}/{finals}",
            f"{row['measured']}/{finals}",
            f"{row['tuning_done']}/{tuning}",
            f"{row['failed']}",
            row["updated_at"],
            *([row["sweep_id"]] if with_ids else []),
        ]
        table.add_row(*(Text(printable(cell)) for cell in cells))  # names are a user's own, and no markup
    return table
