"""`autoreg export`: tables for any program, trials for those that show experiments."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click

from autoreg.cli.help import OneOf
from autoreg.cli.options import DATABASE, JSON, RAW, RUNS, print_json, print_text, require_csv
from autoreg.errors import ConfigError
from autoreg.report.export import Source, exporters


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option(
    "--format", "form", type=OneOf(["parquet", "csv"]),
    help="Of the tables; CSV has lists as JSON.  [default: parquet]",
)  # fmt: skip
@click.option("--views", is_flag=True, help="The views too: final_trials, auc, figure_6, …")
@RAW
@click.option("--sweep", "sweep_name", help="Trials of this sweep only, by name or id.")
@click.option(
    "--definition", type=OneOf(["released", "text"]),
    help="Of removability and similarity, for the scores of trials.  [default: released]",
)  # fmt: skip
@DATABASE
@RUNS
@JSON
def export(
    folder: Path | None, form: str | None, views: bool, raw: bool, sweep_name: str | None, definition: str | None,
    database: Path, runs: Path, as_json: bool, **targets: str | None,
) -> None:  # fmt: skip
    """Take results elsewhere: every table of results.db to FOLDER, or trials to another program.

    \b
    autoreg export tables --format csv --views
    autoreg export --optuna searches.db          # optuna-dashboard sqlite:///searches.db
    autoreg export --tensorboard curves          # tensorboard --logdir curves

    Each table becomes one Parquet or CSV file. What was exported before is written again, never twice. A sweep may run
    meanwhile. With --json, `files` are those of tables, and other programs have lines of what was written.
    """  # noqa: D301
    chosen = {name: target for name, target in targets.items() if target is not None}
    if not (folder or chosen):
        raise ConfigError(f"say what to write: FOLDER for tables, or some of --{', --'.join(exporters)}")
    if (form or views or raw) and not folder:
        raise ConfigError("--format, --views and --raw are for tables, which go to FOLDER")
    require_csv(raw, form)
    if (sweep_name or definition) and not chosen:
        raise ConfigError("--sweep and --definition are not for tables, which have all of them")
    done: dict[str, list[str]] = {}

    def tell(kind: str, line: str) -> None:
        done.setdefault(kind, []).append(line)
        if not as_json:
            print_text(line)

    for file in _write_tables(folder, form or "parquet", views, raw, database) if folder else ():
        tell("files", str(file))
    source = Source(database, runs, sweep_name, definition or "released")
    for name, target in chosen.items():
        for line in exporters[name](source, target):
            tell(name, line)
        if name not in done:
            print_text(f"--{name}: no trial has ended yet, so that nothing is written", err=True)
    if as_json:
        print_json(done)


#: Behind FOLDER, so that the help has every way out in one place.
export.params[1:1] = [
    click.Option(
        [f"--{name}"], metavar=vars(exporters[name])["target"], help=(exporters[name].__doc__ or "").split("\n\n")[0]
    )
    for name in exporters
]


def _write_tables(folder: Path, form: str, views: bool, raw: bool, database: Path) -> Iterator[Path]:
    from autoreg.database.connection import query, reading, table_names
    from autoreg.database.custom import quoted
    from autoreg.files import as_file_name, write_atomically, write_text
    from autoreg.report.formats import as_csv

    written: set[str] = set()
    with reading(database) as connection:
        for name in table_names(connection, views):
            file = f"{as_file_name(name)}.{form}"
            if file.lower() in written:  # also on a disk that knows no case
                print_text(f"left out: {name!r}, whose file would be {file}, which another table has", err=True)
                continue
            written.add(file.lower())
            frame = query(connection, f"from {quoted(name)}")
            if form == "csv":
                write_text(folder / file, as_csv(frame, raw))
            else:
                write_atomically(folder / file, partial(frame.write_parquet, compression="zstd"))
            yield folder / file
