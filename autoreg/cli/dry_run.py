"""What `autoreg sweep --dry-run` prints: of each sweep its settings, what it shares, and what it will take."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from autoreg.cli.options import print_columns, print_text
from autoreg.errors import ConfigError

#: Other programs that slow this machine down by less are not worth a line.
WORTH_SAYING = 1.3
#: What tells how long an epoch takes, as it is printed.
SOURCES = {
    "finished trials": "finished trials",
    "timed": "steps timed here",
    "by FLOPs": "the FLOPs of widths that were not timed",
}


def count_text(plan: Any, done: int | None) -> str:
    """Return how many trials a plan has, and how many of them are done; None if nobody has looked."""
    known = "with --yes also those already done" if done is None else f"{done} already done"
    return f"{plan.sweep.final_count} final trials, {plan.sweep.tuning_count} tuning trials, {known}"


def print_dry_run(plans: list[Any], runs: Any, as_json: bool, is_calibrated: bool) -> None:
    """Print what sweeps would run, and what that will take.

    Args:
        plans: the checked sweeps.
        runs: the run folder; None if there are so many trials that they are not looked at one by one.
        as_json: as one object for programs.
        is_calibrated: whether a few real steps are timed.
    """
    from autoreg.orchestrator.forecast.as_json import json_of
    from autoreg.orchestrator.forecast.calibration import SECONDS
    from autoreg.orchestrator.forecast.forecast import forecast
    from autoreg.orchestrator.plan import count_trials

    if runs is None:
        if as_json:
            raise ConfigError("--json of so many trials needs --yes, since it looks at each of them")
        for plan in plans:
            print_plan(plan)
            click.echo(count_text(plan, None))
        return
    shared = _shared(plans)
    with _waiting("timing a few steps on this machine…" if is_calibrated else ""):
        found = forecast(plans, runs, SECONDS if is_calibrated else 0.0)
    if as_json:
        click.echo(json.dumps(json_of(found, shared), indent=1))
        return
    for one, common in zip(found.sweeps, shared, strict=True):
        print_plan(one.plan, one)
        click.echo(count_text(one.plan, sum(setting.setting.done_count for setting in one.settings)))
        _print_forecast(one, common)
    if len(plans) > 1:
        finals, tuning = count_trials([plan.sweep for plan in plans])
        click.echo(f"all {len(plans)} sweeps: {finals} final trials, {tuning} tuning trials, shared ones counted once")
        is_at_most = any(sweep.at_most for sweep in found.sweeps)
        click.echo(f"  time    {time_text(found.seconds, is_at_most)}, one sweep after another")
    _print_grounds(found)


def print_plan(plan: Any, forecast: Any = None) -> None:
    """Print a line for each setting of a plan, the smallest first."""
    from autoreg.config.group import setting_labels

    figures = f"figures {', '.join(plan.sweep.figures)}" if plan.sweep.figures else "no figure"
    click.echo(f"{plan.sweep.name} ({plan.sweep.sweep_id}), {figures}")
    groups = list(reversed(plan.groups))
    labels = setting_labels([group for group, _ in groups])
    settings = reversed(forecast.settings) if forecast else [None] * len(groups)
    rows = []
    for (group, parameters), label, setting in zip(groups, labels, settings, strict=True):
        tuning = f"{group.tune.trials} tuning" if group.tune else ""
        row = ["", label, f"{parameters:>11,} parameters", tuning, f"{group.final_count} final"]
        rows.append(row if setting is None else [*row[:3], *_setting_cells(row, setting, forecast)])
    print_columns(rows)


def _setting_cells(row: list[str], setting: Any, forecast: Any) -> list[str]:
    flops = setting.size.forward_flops
    cells = ["" if flops is None else f"{amount(flops, 'FLOPs'):>11}", *row[3:]]
    cells.append(f"{setting.setting.done_count} done" if setting.setting.done_count else "")
    if setting.epoch_seconds is not None:
        total = sum(one.seconds or 0.0 for one in forecast.settings)
        cells.append(f"{duration(setting.epoch_seconds):>7} an epoch")
        cells.append(f"{_percent(setting.seconds / total):>4} of the time" if setting.seconds and total else "")
    return [*cells, "", ""][:6]


def _print_forecast(one: Any, shared: list[Any]) -> None:
    for common in shared:
        figures = f" ({', '.join(common.figures)})" if common.figures else ""
        kinds = [f"{common.finals} final"] * bool(common.finals) + [f"{common.tuning} tuning"] * bool(common.tuning)
        click.echo(f"  shared  {' and '.join(kinds)} trials with {common.name}{figures}")
    if not one.plan.sweep.size:
        return
    at_once = f", {one.at_once} trials at once" if one.seconds and one.at_once > 1 else ""
    click.echo(f"  time    {time_text(one.seconds, one.at_most)}{at_once}")
    if one.disk_bytes:
        without = "" if one.is_measuring_known else " without measurements"
        peak = f"; up to {amount(one.peak_bytes, 'B')} more for the states of running trials" if one.peak_bytes else ""
        click.echo(f"  disk    {amount(one.disk_bytes, 'B')} in the run folder{without}{peak}")


def _print_grounds(found: Any) -> None:
    """Print what a forecast is made of, and how good such ones were."""
    used = {setting.source for sweep in found.sweeps for setting in sweep.settings if not setting.setting.is_done}
    if words := [SOURCES[source] for source in SOURCES if source in used]:
        click.echo(f"forecast for a machine that does nothing else, from {', '.join(words)}")
    for problem in found.problems:
        print_text(f"  failed  a step that was timed: {problem}")
    if found.slowdown >= WORTH_SAYING:
        click.echo(f"  busy    this one also runs other programs; it gets on {found.slowdown:.1f} times as slowly now")
    if (past := found.hindsight) is not None:
        trials = "a trial that is" if past.trials == 1 else f"{past.trials} trials that are"
        spread = "" if past.trials == 1 else f" ({past.lowest:.2g}–{past.highest:.2g})"
        click.echo(f"  before  {trials} done took {past.ratio:.2g} times what the steps timed now say{spread}")


def _shared(plans: list[Any]) -> list[list[Any]]:
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


def time_text(seconds: float | None, is_at_most: bool) -> str:
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
