"""What `autoreg sweep --dry-run` prints of a plan."""

from typing import Any

import click

from autoreg.cli_results import print_columns


def count_text(plan: Any, done: int | None) -> str:
    """Return how many trials a plan has, and how many of them are done; None if nobody has looked."""
    known = "with --yes also those already done" if done is None else f"{done} already done"
    return f"{plan.sweep.final_count} final trials, {plan.sweep.tuning_count} tuning trials, {known}"


def print_plan(plan: Any, runs: Any) -> None:
    """Print a plan: a line for each setting, and how many trials there are; runs is the run folder, or None."""
    from autoreg.groups import setting_labels

    figures = f"figures {', '.join(plan.sweep.figures)}" if plan.sweep.figures else "no figure"
    click.echo(f"{plan.sweep.name} ({plan.sweep.sweep_id}), {figures}")
    rows = []
    groups = list(reversed(plan.groups))
    labels = setting_labels([group for group, _ in groups])
    for (group, parameters), label in zip(groups, labels, strict=True):
        tuning = f"{group.tune.trials} tuning" if group.tune else ""
        rows.append(["", label, f"{parameters:>11,} parameters", tuning, f"{group.final_count} final"])
    print_columns(rows)
    click.echo(count_text(plan, plan.schedule(runs).done_count() if runs else None))
