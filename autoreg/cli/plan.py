"""`autoreg plan`: of each sweep its settings, what it shares with others, and what it will take."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoreg.cli import completion
from autoreg.cli.options import JSON, OVERRIDES, RUNS, print_columns, print_text
from autoreg.errors import ConfigError

if TYPE_CHECKING:
    from autoreg.config.overlap import Shared
    from autoreg.orchestrator.forecast.forecast import Forecast, SweepForecast
    from autoreg.orchestrator.forecast.group import GroupForecast
    from autoreg.orchestrator.plan import Plan

#: Other programs that slow this machine down by less are not worth a line.
WORTH_SAYING = 1.3
#: What tells how long an epoch takes, as it is printed.
SOURCES = {
    "finished trials": "finished trials",
    "timed": "steps timed here",
    "by FLOPs": "the FLOPs of widths that were not timed",
}


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
    autoreg plan cifar_init --set grid.width=[1/4,1/2] --json

    Time is estimated from finished trials like those to come, else from a few training steps that are timed here.
    """  # noqa: D301
    print_plans(sweeps, overrides, runs, yes=yes, as_json=as_json, is_calibrated=not no_calibration)


def print_plans(
    sweeps: Sequence[str], overrides: Sequence[str], runs: Path, *,
    yes: bool = False, as_json: bool = False, is_calibrated: bool = True,
) -> None:  # fmt: skip
    """Print what sweeps would run, and what that will take.

    Args:
        sweeps: YAML files, or names of packaged ones.
        overrides: `key=value`.
        runs: the run folder.
        yes: whether trials are looked at one by one however many there are.
        as_json: as one object for programs.
        is_calibrated: whether a few real steps are timed.
    """
    from autoreg.config.sweep_file import load_sweep
    from autoreg.orchestrator.forecast.as_json import json_of
    from autoreg.orchestrator.forecast.cost import SECONDS
    from autoreg.orchestrator.forecast.forecast import forecast
    from autoreg.orchestrator.plan import MANY_TRIALS, count_trials, make_plan
    from autoreg.packaged import find_sweep
    from autoreg.runs.folder import Runs

    plans = [make_plan(load_sweep(find_sweep(name), overrides)) for name in sweeps]
    if not yes and any(plan.sweep.size > MANY_TRIALS for plan in plans):  # to look at each takes time, and memory
        if as_json:
            raise ConfigError("--json of so many trials needs --yes, since it looks at each of them")
        for plan in plans:
            _print_groups(plan)
            click.echo(f"{counts_text(plan)}, with --yes also those already done")
        return
    shared = _shared(plans)
    with _waiting("timing a few steps on this machine…" if is_calibrated else ""):
        result = forecast(plans, Runs(runs), SECONDS if is_calibrated else 0.0)
    if as_json:
        click.echo(json.dumps(json_of(result, shared), indent=1))
        return
    for sweep, common in zip(result.sweeps, shared, strict=True):
        _print_groups(sweep.plan, sweep.groups)
        click.echo(f"{counts_text(sweep.plan)}, {sum(group.left.ended_count for group in sweep.groups)} already done")
        _print_forecast(sweep, common)
    if len(plans) > 1:
        finals, tuning = count_trials([plan.sweep for plan in plans])
        click.echo(f"all {len(plans)} sweeps: {finals} final trials, {tuning} tuning trials, shared ones counted once")
        is_at_most = any(sweep.at_most for sweep in result.sweeps)
        click.echo(f"  time    {_time_text(result.seconds, is_at_most)}, one sweep after another")
    _print_grounds(result)


def counts_text(plan: "Plan") -> str:
    """Return how many trials a plan has."""
    return f"{plan.sweep.final_count} final trials, {plan.sweep.tuning_count} tuning trials"


def _print_groups(plan: "Plan", forecasts: "Sequence[GroupForecast] | None" = None) -> None:
    """Print a line for each group of a plan, the smallest first."""
    from autoreg.config.group import setting_labels

    figures = f"figures {', '.join(plan.sweep.figures)}" if plan.sweep.figures else "no figure"
    click.echo(f"{plan.sweep.name} ({plan.sweep.sweep_id}), {figures}")
    labels = setting_labels([group for group, _ in plan.groups])
    total = sum(forecast.seconds or 0.0 for forecast in forecasts or ())
    rows = []
    for index, ((group, parameters), label) in enumerate(zip(plan.groups, labels, strict=True)):
        trials = [f"{group.tune.trials} tuning" if group.tune else "", f"{group.final_count} final"]
        columns = ["", label, f"{parameters:>11,} parameters"]
        rows.append([*columns, *(_forecast_cells(forecasts[index], total, trials) if forecasts else trials)])
    print_columns(rows[::-1])


def _forecast_cells(forecast: "GroupForecast", total: float, trials: list[str]) -> list[str]:
    flops, seconds = forecast.size.forward_flops, forecast.seconds
    return [
        "" if flops is None else f"{amount(flops, 'FLOPs'):>11}",
        *trials,
        f"{forecast.left.ended_count} done" if forecast.left.ended_count else "",
        "" if forecast.epoch_seconds is None else f"{duration(forecast.epoch_seconds):>7} an epoch",
        f"{_percent(seconds / total):>4} of the time" if seconds and total else "",
    ]


def _print_forecast(forecast: "SweepForecast", shared: "Sequence[Shared]") -> None:
    for common in shared:
        figures = f" ({', '.join(common.figures)})" if common.figures else ""
        kinds = [f"{common.finals} final"] * bool(common.finals) + [f"{common.tuning} tuning"] * bool(common.tuning)
        click.echo(f"  shared  {' and '.join(kinds)} trials with {common.name}{figures}")
    if not forecast.plan.sweep.size:
        return
    at_once = f", {forecast.at_once} trials at once" if forecast.seconds and forecast.at_once > 1 else ""
    click.echo(f"  time    {_time_text(forecast.seconds, forecast.at_most)}{at_once}")
    if forecast.disk_bytes:
        without = "" if forecast.is_measuring_known else " without measurements"
        states = forecast.peak_bytes
        peak = f"; up to {amount(states, 'B')} more for the states of running trials" if states else ""
        click.echo(f"  disk    {amount(forecast.disk_bytes, 'B')} in the run folder{without}{peak}")


def _print_grounds(forecast: "Forecast") -> None:
    """Print what a forecast is made of, and how good such ones were."""
    used = {group.source for sweep in forecast.sweeps for group in sweep.groups if not group.left.is_done}
    if words := [SOURCES[source] for source in SOURCES if source in used]:
        click.echo(f"forecast for a machine that does nothing else, from {', '.join(words)}")
    for problem in forecast.problems:
        print_text(f"  failed  a step that was timed: {problem}")
    if forecast.slowdown >= WORTH_SAYING:
        slowdown = f"{forecast.slowdown:.1f} times as slowly now"
        click.echo(f"  busy    this one also runs other programs; it gets on {slowdown}")
    if (past := forecast.hindsight) is not None:
        trials = "a trial that is" if past.trials == 1 else f"{past.trials} trials that are"
        spread = "" if past.trials == 1 else f" ({past.lowest:.2g}–{past.highest:.2g})"
        click.echo(f"  before  {trials} done took {past.ratio:.2g} times what the steps timed now say{spread}")


def _shared(plans: "Sequence[Plan]") -> "list[list[Shared]]":
    """Return what each sweep shares with the others of the command line, and with packaged ones."""
    from autoreg.config.overlap import shared_with
    from autoreg.config.sweep_file import load_sweep
    from autoreg.orchestrator.plan import checked_sweep
    from autoreg.packaged import find_sweep, sweep_names

    names = {one.sweep.name for one in plans}
    packaged = [checked_sweep(load_sweep(find_sweep(name))) for name in sweep_names() if name not in names]
    return [shared_with(plan.sweep, [*(one.sweep for one in plans if one is not plan), *packaged]) for plan in plans]


@contextmanager
def _waiting(text: str) -> Iterator[None]:
    """Show a line on a terminal while something is under way."""
    is_shown = bool(text) and sys.stderr.isatty()
    if is_shown:
        click.echo(text, err=True, nl=False)
    try:
        yield
    finally:
        if is_shown:
            click.echo("\r" + " " * len(text) + "\r", err=True, nl=False)


def _time_text(seconds: float | None, is_at_most: bool) -> str:
    """Return a forecast of time as a person says it."""
    if seconds is None:
        return "not known without a calibration or finished trials"
    return f"{'at most' if is_at_most else 'about'} {duration(seconds)}" if seconds else "nothing is left to do"


def duration(seconds: float) -> str:
    """Return a time with two digits: `0.8 ms`, `35 s`, `12 min`, `1.5 h`, `14 days`."""
    for limit, factor, unit in ((1, 1e-3, "ms"), (90, 1, "s"), (5400, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{_two_digits(seconds / factor)} {unit}"
    return f"{_two_digits(seconds / 86400)} days"


def amount(count: float, unit: str) -> str:
    """Return a number with its thousands: `24 MFLOPs`, `1.3 GB`, `900 B`."""
    for factor, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= factor:
            return f"{_two_digits(count / factor)} {prefix}{unit}"
    return f"{count:.0f} {unit}"


def _two_digits(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{float(f'{value:.2g}'):,.0f}" if value < 100 else f"{value:,.0f}"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "<1%"
