"""`autoreg query`: rows of results.db."""

import sys
from pathlib import Path

import click

from autoreg.cli.help import OneOf
from autoreg.cli.options import DATABASE, RAW, as_text, print_columns, print_json, require_csv
from autoreg.errors import ConfigError, DamagedDatabase, DatabaseError


@click.command()
@click.argument("sql")
@click.option(
    "--format", "form", type=OneOf(["table", "csv", "json", "parquet"]), default="table",
    show_default=True, help="How the rows are printed; a table rounds to ten digits, Parquet needs a file or a pipe.",
)  # fmt: skip
@RAW
@DATABASE
def query(sql: str, form: str, raw: bool, database: Path) -> None:
    """Print the rows of a query on results.db; it waits while a sweep writes, and changes nothing.

    \b
    autoreg query "select width, avg(test_accuracy) from trials where kind = 'final' group by all order by all"
    autoreg query "from figure_b5" --format csv > b5.csv
    autoreg query "from ablation" --format parquet > ablation.parquet
    """  # noqa: D301
    from autoreg.database import connection as databases

    require_csv(raw, form)
    if form == "parquet" and sys.stdout.isatty():
        raise ConfigError("Parquet is not for a terminal; put > FILE.parquet behind the command")

    with databases.reading(database) as connection:
        try:
            frame = databases.query(connection, sql)
        except DamagedDatabase:
            raise
        except DatabaseError as error:
            raise ConfigError(str(error)) from error
    if form == "csv":
        from autoreg.report.formats import as_csv

        click.echo(as_csv(frame, raw), nl=False)
    elif form == "json":
        from autoreg.report.formats import as_json

        print_json(as_json(frame))
    elif form == "parquet":
        frame.write_parquet(sys.stdout.buffer, compression="zstd")
    else:
        print_columns([frame.columns, *([as_text(value) for value in row] for row in frame.rows())])
