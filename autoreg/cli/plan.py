"""`autoreg plan`: of each sweep its settings, what it shares with others, and what it will take."""

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from statistics import geometric_mean
from typing import TYPE_CHECKING

import click

from autoreg.cli import completion
from autoreg.cli.options import JSON, OVERRIDES, RUNS, print_columns, print_json, print_text
from autoreg.errors import AutoregError, ConfigError, duration, two_digits

if TYPE_CHECKING:
    from autoreg.config.overlap import Shared
    from autoreg.orchestrator.forecast.forecast import Forecast, GroupForecast, SweepForecast
    from autoreg.orchestrator.plan import Plan


@click.command()
@click.argument("sweeps", nargs=-1, required=True, metavar="SWEEP...", shell_complete=completion.sweeps)
@OVERRIDES
@click.option("--no-calibration", is_flag=True, help="Time no steps; finished trials alone tell how long others take.")
@click.option("--yes", is_flag=True, help="Look at every trial, even of more than 10,000.")
@RUNS
@JSON
def plan(
    sweeps: tuple[str, ...], overrides: tuple[str, ...], no_calibration: bool, yes: bool, runs: Path, as_json: bool
) -> None:
    """Say what sweeps would run and what it will take; run nothing, and write nothing.

    \b
    autoreg plan quickstart
    autoreg plan sweeps/*.yaml                 # what they would run, shared trials counted once
    autoreg plan cifar_init --set "grid.width=[1/4,1/2]" --json

    Time is estimated from finished trials like those to come, else from a few training steps that are timed here. If
    one fails, it says so and ends with exit code 1.
    """  # noqa: D301
    from autoreg.config.overlap import shared_with
    from autoreg.config.sweep_file import load_sweep, load_sweeps
    from autoreg.orchestrator.forecast.cost import SECONDS
    from autoreg.orchestrator.forecast.forecast import forecast
    from autoreg.orchestrator.older import older_note
    from autoreg.orchestrator.plan import MANY_TRIALS, checked_sweep, make_plan
    from autoreg.packaged import find_sweep, sweep_names
    from autoreg.runs.folder import Runs

    with redirect_stdout(sys.stderr):  # what a user's module prints is none of the data
        plans = [make_plan(each) for each in load_sweeps([find_sweep(name) for name in sweeps], overrides)]
    if not yes and any(plan.sweep.size > MANY_TRIALS for plan in plans):  # to look at each takes time, and memory
        if as_json:
            raise ConfigError("--json of so many trials needs --yes, since it looks at each of them")
        for plan in plans:
            click.echo(f"{plan!r}\n{plan.counts_text}, with --yes also those already done")
        return
    names = {plan.sweep.name for plan in plans}
    packaged = [checked_sweep(load_sweep(find_sweep(name))) for name in sweep_names() if name not in names]
    shared = [
        shared_with(plan.sweep, [*(other.sweep for other in plans if other is not plan), *packaged]) for plan in plans
    ]
    if not no_calibration and sys.stderr.isatty():
        click.echo("timing a few steps on this machine…", err=True)
    with redirect_stdout(sys.stderr):
        result = forecast(plans, Runs(runs), 0.0 if no_calibration else SECONDS)
    if as_json:
        content = asdict(result)
        for sweep, common in zip(content["sweeps"], shared, strict=True):
            sweep["shared"] = [each._asdict() for each in common]
        print_json(content)
    else:
        for plan, forecasted, common in zip(plans, result.sweeps, shared, strict=True):
            _print_sweep(plan, forecasted, common)
            if any(group.template.own_code for group, _ in plan.groups):
                for line in older_note(plan.schedule(Runs(runs))):
                    click.echo(f"  older   {line}")
        if len(plans) > 1:
            _print_all(plans, result)
        _print_grounds(result)
    if result.problems:
        sys.exit(AutoregError.exit_code)


def _print_all(plans: "Sequence[Plan]", forecast: "Forecast") -> None:
    """Print what several sweeps have and take together."""
    from autoreg.config.overlap import count, keys_of

    finals, tuning = count(keys_of(plan.sweep for plan in plans))
    click.echo(f"all {len(plans)} sweeps: {finals} final trials, {tuning} tuning trials, shared ones counted once")
    is_at_most = any(sweep.is_at_most for sweep in forecast.sweeps)
    click.echo(f"  time    {_time_text(forecast.seconds, is_at_most)}, one sweep after another")


def _print_sweep(plan: "Plan", forecast: "SweepForecast", shared: "Sequence[Shared]") -> None:
    """Print a line for each group of a plan, the smallest first, and what the sweep shares and will take."""
    groups = forecast.settings
    click.echo(f"{forecast.name} ({forecast.sweep_id}), figures {', '.join(forecast.figures) or 'none'}")
    total = sum(group.worker_seconds or 0.0 for group in groups)
    print_columns([_cells(group, total) for group in reversed(groups)])
    click.echo(f"{plan.counts_text}, {sum(group.done_trials for group in groups)} already done")
    for common in shared:
        figures = f" ({', '.join(common.figures)})" if common.figures else ""
        counts = (("final", common.final_trials), ("tuning", common.tuning_trials))
        kinds = [f"{count} {kind}" for kind, count in counts if count]
        click.echo(f"  shared  {' and '.join(kinds)} trials with {common.sweep}{figures}")
    most = max((group.trials_at_once for group in groups), default=1)
    at_once = f", {most} trials at once" if forecast.seconds and most > 1 else ""
    click.echo(f"  time    {_time_text(forecast.seconds, forecast.is_at_most)}{at_once}")
    for precision in dict.fromkeys(group.faster_precision for group in groups if group.faster_precision):
        click.echo(f"  faster  on this CPU with --set training.precision={precision}, whose trials are others")
    click.echo(f"  disk    {amount(forecast.disk_bytes, 'B')} in the run folder")


def _cells(group: "GroupForecast", total: float) -> list[str]:
    flops, seconds = group.forward_flops_per_example, group.worker_seconds
    return [
        "",
        group.label,
        f"{group.parameters:>11,} parameters",
        "" if flops is None else f"{amount(flops, 'FLOPs'):>11}",
        f"{group.tuning_trials} tuning" if group.tuning_trials else "",
        f"{group.final_trials} final",
        f"{group.done_trials} done" if group.done_trials else "",
        "" if group.epoch_seconds is None else f"{duration(group.epoch_seconds):>7} an epoch",
        f"{seconds / total:>4.0%} of the time" if seconds else "",
    ]


def _print_grounds(forecast: "Forecast") -> None:
    """Print what a forecast is made of, and how good such ones were."""
    groups = [group for sweep in forecast.sweeps for group in sweep.settings]
    if sources := {str(group.epoch_seconds_from) for group in groups if group.worker_seconds}:
        click.echo(f"forecast for a machine that does nothing else, from {' and '.join(sorted(sources))}")
    for problem in forecast.problems:
        print_text(f"  failed  a step that was timed: {problem}")
    if ratios := forecast.backtest:
        took = f"took {geometric_mean(ratios):.2g} times as long as the steps timed now say"
        click.echo(f"  before  {len(ratios)} finished trials {took} ({ratios[0]:.2g}–{ratios[-1]:.2g})")


def _time_text(seconds: float | None, is_at_most: bool) -> str:
    """Return a forecast of time as a person says it."""
    if seconds is None:
        return "not known without a calibration or finished trials"
    return f"{'at most' if is_at_most else 'about'} {duration(seconds)}" if seconds else "nothing is left to do"


def amount(count: float, unit: str) -> str:
    """Return a number with its thousands: `24 MFLOPs`, `1.3 GB`, `900 B`."""
    for factor, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= factor:
            return f"{two_digits(count / factor)} {prefix}{unit}"
    return f"{count:.0f} {unit}"
