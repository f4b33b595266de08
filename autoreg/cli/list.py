"""`autoreg list`: what a sweep may name, and what there is."""

from pathlib import Path
from typing import Any

import click

from autoreg.cli.help import OneOf
from autoreg.cli.options import DATABASE, JSON, print_columns, print_json

LISTS = ("networks", "datasets", "initializers", "optimizers", "schedules", "metrics", "figures", "sweeps", "trials")


@click.command("list")
@click.argument("kind", type=OneOf(LISTS), metavar="KIND")
@DATABASE
@JSON
def list_(kind: str, database: Path, as_json: bool) -> None:
    """List what there is of a kind: what a sweep may name with its options, figures, or the trials in results.db.

    \b
    autoreg list networks
    autoreg list trials

    Kinds: networks, datasets, initializers, optimizers, schedules, metrics, figures, sweeps, trials.
    """  # noqa: D301
    rows = _rows_of(kind, database)
    if as_json:
        print_json(rows)
        return
    if kind == "trials" and rows:
        rows.insert(0, {name: name for name in rows[0]})
    print_columns([["-" if value is None else str(value) for value in row.values()] for row in rows])


def _rows_of(kind: str, database: Path) -> list[dict[str, Any]]:
    if kind == "trials":
        from autoreg.database.connection import reading
        from autoreg.database.queries import trial_rows

        with reading(database) as connection:
            return trial_rows(connection)
    if kind == "figures":
        from autoreg.packaged import figure_names

        return [{"name": name} for name in figure_names()]
    if kind == "sweeps":
        from autoreg.config.sweep_file import load_sweep
        from autoreg.packaged import find_sweep, sweep_names

        sweeps = [load_sweep(find_sweep(name)).sweep for name in sweep_names()]
        return [{"name": sweep.name, "figures": ", ".join(sweep.figures)} for sweep in sweeps]
    from autoreg.metrics.registries import REGISTRIES

    registry = REGISTRIES[kind]
    return [{"name": name, "options": registry.signature(name)} for name in registry]
