"""`autoreg verify` and `autoreg rebuild`: results.db beside the run folder."""

import sys
from pathlib import Path

import click

from autoreg.cli.options import DATABASE, JSON, RUNS, print_json, print_text
from autoreg.errors import AutoregError, DataError


@click.command()
@DATABASE
@RUNS
@JSON
def verify(database: Path, runs: Path, as_json: bool) -> None:
    """Compare results.db with the run folder, row for row, and name what is missing or damaged; nothing is changed.

    \b
    autoreg verify
    autoreg verify --db results.db --runs runs

    It takes as long as `autoreg rebuild`, and room for two databases in the temporary folder. While a sweep runs, what
    it has not written yet is missing. Checkpoints are checked by `autoreg sweep` when it reads them.
    """  # noqa: D301
    from autoreg.database.verify import verify as find_differences
    from autoreg.runs.folder import Runs

    _require_folder(runs)
    lines = find_differences(database, Runs(runs))
    if as_json:
        print_json({"differences": lines})
    for line in () if as_json else lines:
        print_text(line)
    if lines:
        click.echo(f"{database} and {runs} disagree; `autoreg rebuild` makes {database} again", err=True)
        sys.exit(AutoregError.exit_code)
    print_text(f"{database} has every row of {runs}{_beside(database)}", err=True)


@click.command()
@DATABASE
@RUNS
@JSON
def rebuild(database: Path, runs: Path, as_json: bool) -> None:
    """Make results.db again from the run folder, which is not changed; your own tables in it are kept.

    \b
    autoreg rebuild
    autoreg rebuild --db copy.db        # beside the one there is
    """  # noqa: D301
    from autoreg.database.writer import rebuild as rebuild_database
    from autoreg.runs.folder import Runs

    _require_folder(runs)
    count, problems = rebuild_database(database, Runs(runs))
    for problem in problems:
        print_text(problem, err=True)
    if as_json:
        print_json({"trials": count, "problems": problems})
    print_text(f"{count} trials in {database}{_beside(database)}", err=True)
    if problems:
        sys.exit(AutoregError.exit_code)


def _beside(database: Path) -> str:
    """Return a remark on what in results.db is not autoreg's."""
    from autoreg.database.connection import reading
    from autoreg.database.foreign import foreign

    with reading(database) as connection:
        others = ", ".join(map(str, foreign(connection)))
    return f"; what is not autoreg's is left alone: {others}" if others else ""


def _require_folder(runs: Path) -> None:
    if not runs.is_dir():
        raise DataError(f"the run folder {runs} does not exist; a sweep makes it, or --runs names another")
