"""`autoreg trial`: one final trial of a sweep in this process, or the list of them."""

import sys
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

import click

from autoreg.cli import completion
from autoreg.cli.options import DATABASE, OVERRIDES, RUNS, print_columns, print_text
from autoreg.cli.sweep import command, tell_end
from autoreg.errors import AutoregError, ConfigError, DataError, Interrupted


@click.command()
@click.argument("sweep", metavar="SWEEP", shell_complete=completion.sweeps)
@OVERRIDES
@click.option("--index", type=int, metavar="N", help="Train and measure this one, from 0; without it they are listed.")
@click.option("--trained", is_flag=True, help="Measure all that are trained, one after another, and train none.")
@click.option("--count", is_flag=True, help="Print how many there are.")
@click.option("--device", metavar="DEVICE", help="cpu, cuda or cuda:N; otherwise as resources.gpu says.")
@click.option("--retry-failed", is_flag=True, help="Train it again if it has failed.")
@DATABASE
@RUNS
def trial(
    sweep: str, overrides: tuple[str, ...], index: int | None, trained: bool, count: bool, device: str | None,
    retry_failed: bool, database: Path, runs: Path,
) -> None:  # fmt: skip
    """Train and measure one final trial of a sweep in this process, without Ray; or list them.

    \b
    autoreg trial quickstart --set tune=null               # their numbers and ids, and which are trained
    autoreg trial quickstart --set tune=null --index 3
    autoreg trial quickstart --set tune=null --set 'measure.metrics.movement={}' --trained
    python -m pdb -m autoreg trial quickstart --set tune=null --index 3

    It goes into the run folder as in a sweep, which then counts it as done. Interrupted, the same command goes on.
    Where a search chooses the hyperparameters, `autoreg sweep` finishes that first. No time limit applies.
    """  # noqa: D301
    if count + trained + (index is not None) > 1:
        raise ConfigError("--count prints a number, --index trains a trial and --trained measures: give one of them")
    if retry_failed and index is None:
        raise ConfigError("--retry-failed trains the trial of --index again; without --index nothing is trained")
    from autoreg.config.sweep_file import load_sweep
    from autoreg.orchestrator.one_trial import final_trials, run_trial, why_unknown
    from autoreg.orchestrator.plan import check_resources, make_plan
    from autoreg.packaged import find_sweep
    from autoreg.runs.describe import describe
    from autoreg.runs.folder import Runs

    loaded = load_sweep(find_sweep(sweep), overrides)
    check_resources(loaded)
    with redirect_stdout(sys.stderr):  # what a user's module prints is none of the data
        plan = make_plan(loaded)
    if count:
        click.echo(plan.sweep.final_count)
        return
    numbers = [] if index is None else [index]
    if index is None:
        rows = []
        for number, (state, config) in enumerate(final_trials(plan.schedule(Runs(runs)))):
            if config and state.is_trained(config.trial_id):
                numbers.append(number)
            mark = "trained" if number in numbers else ""
            what = [config.trial_id, mark, describe(config)] if config else ["", "", why_unknown(state)]
            rows.append([str(number), *what])
        if not trained:
            print_columns(rows)
            return
        if not numbers:
            raise DataError(f"--trained measures trials that are trained, and {runs} has none of this sweep")
    say, problems = partial(print_text, err=True), False
    try:
        for number in numbers:
            with redirect_stdout(sys.stderr):
                summary = run_trial(
                    plan, Runs(runs), database, number, device=device, retry_failed=retry_failed, say=say
                )
            problems |= tell_end(summary, database)
    except KeyboardInterrupt as error:
        raise Interrupted(f"stopped at once; to go on from the last saved state: {command()}") from error
    if problems:
        sys.exit(AutoregError.exit_code)
