"""`autoreg sweep`: run sweeps, or say what they would run."""

import json
import os
import shlex
import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoreg.cli import completion
from autoreg.cli.options import DATABASE, JSON, OVERRIDES, RUNS, print_text
from autoreg.cli.plan import plan
from autoreg.errors import AutoregError, ConfigError, Interrupted

if TYPE_CHECKING:
    from autoreg.orchestrator.progress.counts import Verbosity
    from autoreg.orchestrator.recorder import Summary


@click.command()
@click.argument("sweeps", nargs=-1, required=True, metavar="SWEEP...", shell_complete=completion.sweeps)
@OVERRIDES
@click.option("--dry-run", is_flag=True, help="Say what would run and what it will take, as `autoreg plan` does.")
@DATABASE
@RUNS
@click.option("--address", metavar="HOST:PORT", help="Join a Ray cluster: auto, or host:port.")
@click.option("--retry-failed", is_flag=True, help="Train this sweep's failed trials again.")
@click.option("--yes", is_flag=True, help="Run it even if it asks for more than 10,000 trials.")
@click.option("--quiet", "-q", is_flag=True, help="Say only what is wrong, and how it ended.")
@click.option("--verbose", "-v", is_flag=True, help="Also a line for each start, epoch and measured trial.")
@JSON
def sweep(
    sweeps: tuple[str, ...], overrides: tuple[str, ...], dry_run: bool, database: Path, runs: Path,
    address: str | None, retry_failed: bool, yes: bool, quiet: bool, verbose: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Run sweeps one after another: YAML files, or names of packaged ones.

    \b
    autoreg sweep quickstart
    autoreg sweep sweeps/cifar_init.yaml --set training.epochs=3 --set "grid.width=[1/4,1/2]"
    autoreg sweep cifar_init --dry-run         # what it would run, and how long it would take here

    What is done already, by this or another sweep, is not done again; interrupted, the same command goes on. The first
    Ctrl-C has running trials save their state, the second stops at once. With --json, each line of
    stdout is an object: what is `said`, and of each sweep in the end how it `ended`.
    """  # noqa: D301
    if quiet and verbose:
        raise ConfigError("--quiet says less and --verbose says more: leave one of both out")
    if dry_run:
        click.get_current_context().invoke(
            plan, sweeps=sweeps, overrides=overrides, runs=runs, yes=yes, as_json=as_json
        )
        return
    from autoreg.config.sweep_file import load_sweeps
    from autoreg.orchestrator.plan import check_resources, check_size, make_plan
    from autoreg.orchestrator.progress.counts import Verbosity
    from autoreg.packaged import find_sweep
    from autoreg.runs.folder import Runs

    loaded = load_sweeps([find_sweep(name) for name in sweeps], overrides)
    for each in loaded:
        if not yes:
            check_size(each)
        if not address:
            check_resources(each)
    with redirect_stdout(sys.stderr):  # what a user's module prints is none of the data
        plans = [make_plan(each) for each in loaded]
    verbosity = Verbosity.QUIET if quiet else Verbosity.VERBOSE if verbose else Verbosity.NORMAL
    try:
        codes = [_run(each, Runs(runs), database, address, retry_failed, verbosity, as_json) for each in plans]
    except KeyboardInterrupt as error:
        raise Interrupted(f"stopped at once; to go on from the last saved states: {command()}") from error
    if any(codes):
        sys.exit(AutoregError.exit_code)


def command() -> str:
    """Return the command that was given, as a shell takes it."""
    data = os.environ.get("AUTOREG_DATA")  # which may have been set for this command only
    return " ".join([*([f"AUTOREG_DATA={shlex.quote(data)}"] if data else []), "autoreg", shlex.join(sys.argv[1:])])


def _run(
    plan: Any, runs: Any, database: Path, address: str | None, retry_failed: bool, verbosity: "Verbosity", as_json: bool
) -> bool:
    """Run a sweep and tell how it ended."""
    from autoreg.orchestrator.run import run_sweep

    summary = run_sweep(plan, runs, database, address, retry_failed, verbosity, as_json=as_json)
    if as_json:
        sweep = {"sweep": plan.sweep.name, "sweep_id": plan.sweep.sweep_id, "database": str(database)}
        click.echo(json.dumps({"event": "ended", **sweep, **asdict(summary)}))
    return tell_end(summary, database)


def tell_end(summary: "Summary", database: Path) -> bool:
    """Print how a sweep ended, and return whether anything went wrong. Raises Interrupted if the user stopped it."""
    for line in summary.problems:
        print_text(line, err=True)
    if summary.unwritten:
        click.echo(
            f"{summary.unwritten} finished trials wait for {database}; run the command again to add them", err=True
        )
    if summary.interrupted:
        raise Interrupted(f"stopped; to go on: {command()}")
    failed = f", {len(summary.problems)} with problems" if summary.problems else ""
    click.echo(
        f"{summary.trained} trials trained, {summary.skipped} were done before{failed}; rows in {database}", err=True
    )
    return bool(summary.problems or summary.unwritten)
