"""`autoreg forget`: take a sweep's trials out of the run folder and of results.db."""

from pathlib import Path

import click

from autoreg.cli.options import DATABASE, RUNS, print_text
from autoreg.errors import Interrupted


@click.command()
@click.option("--sweep", "name", required=True, metavar="NAME", help="The sweep's name.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@DATABASE
@RUNS
def forget(name: str, yes: bool, database: Path, runs: Path) -> None:
    """Remove all trials of a sweep, also those that it shares with others, and their rows; it asks first.

    \b
    autoreg forget --sweep my_sweep        # once its data has changed: what was trained on it before is refused

    Run the sweep again to train them anew. Nothing brings them back.
    """  # noqa: D301
    from autoreg.database.writer import rebuild
    from autoreg.orchestrator.forget import find_sweep
    from autoreg.orchestrator.forget import forget as remove
    from autoreg.runs.folder import Runs

    found = find_sweep(Runs(runs), name)
    shared = f", some of them shared with {', '.join(found.others)}" if found.others else ""
    question = f"remove {len(found.folders)} trials of {name} from {runs}{shared}?"
    try:
        if not yes:
            click.confirm(question, abort=True, err=True)
    except click.Abort as error:
        raise Interrupted("nothing was removed") from error
    remove(Runs(runs), found)
    print_text(f"removed {len(found.folders)} trials from {runs}", err=True)
    if database.exists():
        count, problems = rebuild(database, Runs(runs))
        print_text("\n".join([*problems, f"{database} has the rows of the {count} that are left"]), err=True)
