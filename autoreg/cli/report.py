"""`autoreg report`: which figures, tables or page, in which formats."""

import sys
from pathlib import Path

import click

from autoreg.cli import completion
from autoreg.cli.help import OneOf
from autoreg.cli.options import DATABASE, print_text
from autoreg.errors import ConfigError, DataError
from autoreg.packaged import table_names


@click.command()
@click.option(
    "--figure", "figures", multiple=True, metavar="NAME", shell_complete=completion.figures,
    help="A figure's name (1, 1a, B5), or your own view: my.sql.",
)  # fmt: skip
@click.option(
    "--table", "tables", multiple=True, type=OneOf(table_names()),
    help="A table; comparison has the paper's values beside ours.",
)  # fmt: skip
@click.option("--compare", is_flag=True, help="The paper's values beside ours: --table comparison.")
@click.option("--all", "every", is_flag=True, help="Every figure and table that has trials.")
@click.option("--html", is_flag=True, help="One self-contained page of all there is: report.html.")
@click.option(
    "--format", "forms", metavar="LIST",
    help="Of figures some of png,pdf,svg,csv, of tables of md,csv,tex.  [default: png,pdf,csv and md,csv,tex]",
)  # fmt: skip
@click.option(
    "--definition", type=OneOf(["released", "text"]), default="released", show_default=True,
    help="Of removability and similarity: as the authors' released code has it, or the paper's text.",
)  # fmt: skip
@click.option(
    "--sweep", "sweep_name", metavar="NAME", shell_complete=completion.sweeps,
    help="The sweep to show, by name or id, if several feed the figure.",
)  # fmt: skip
@DATABASE
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("reports"), show_default=True,
    help="The folder to write to.",
)  # fmt: skip
def report(
    figures: tuple[str, ...], tables: tuple[str, ...], compare: bool, every: bool, html: bool, forms: str | None,
    definition: str, sweep_name: str | None, database: Path, out: Path,
) -> None:  # fmt: skip
    """Make figures and tables from results.db.

    \b
    autoreg report --figure 6 --figure B5
    autoreg report --table 1 --compare
    autoreg report --html

    A figure is written as PNG, PDF, the CSV behind it and a JSON file with its provenance; the paper's values stand
    behind ours, thin and grey. A table is written as Markdown, CSV and LaTeX.
    """  # noqa: D301
    from autoreg.database.connection import reading
    from autoreg.report.figure import figures_with_data, report_figure
    from autoreg.report.figures.source import find_figures
    from autoreg.report.table import report_table

    if every + html + bool(compare or figures or tables) != 1:
        raise ConfigError("say what to make: --figure NAME, --table NAME, --compare, --all or --html")
    tables = (*tables, *(["comparison"] if compare else []))
    pictures, texts = _formats(forms, bool(figures), bool(tables))
    sources = [source for name in figures for source in find_figures(name)]
    made = 0
    with reading(database) as connection:
        if html:
            from autoreg.report.page import report_page

            click.echo(report_page(connection, out, definition, sweep_name))
            return
        if every:
            figures = tuple(figures_with_data(connection, sweep_name) if pictures else [])
            sources = [source for name in figures for source in find_figures(name)]
            tables = tuple(table_names() if texts else [])
        for source in sources:
            try:
                paths, missing = report_figure(connection, source, out, definition, sweep_name, pictures)
            except DataError as error:
                print_text(f"autoreg: {error}", err=True)
                continue
            made += 1
            click.echo("\n".join(map(str, paths)))
            if missing:
                print_text("\n  ".join([f"figure {source.name} is incomplete, missing:", *missing]), err=True)
        for name in tables:
            try:
                click.echo("\n".join(map(str, report_table(connection, name, out, sweep_name, texts))))
                made += 1
            except DataError as error:
                print_text(f"autoreg: {error}", err=True)
    if not made:
        sys.exit(DataError.exit_code)


def _formats(forms: str | None, figures: bool, tables: bool) -> tuple[list[str], list[str]]:
    """Return what figures and what tables are written as. Raises ConfigError if one of them would not be written."""
    from autoreg.errors import did_you_mean
    from autoreg.report.figure import DEFAULT_FORMATS, FORMATS
    from autoreg.report.formats import FORMATS as TABLE_FORMATS

    if forms is None:
        return list(DEFAULT_FORMATS), list(TABLE_FORMATS)
    asked = [form.strip() for form in forms.split(",")]
    for form in asked:
        if form not in {*FORMATS, *TABLE_FORMATS}:
            raise ConfigError(f"unknown format {form!r}{did_you_mean(form, {*FORMATS, *TABLE_FORMATS})}")
    pictures = [form for form in FORMATS if form in asked]
    texts = [form for form in TABLE_FORMATS if form in asked]
    if figures and not pictures:
        raise ConfigError(f"a figure is written as some of {', '.join(FORMATS)}, got {forms}")
    if tables and not texts:
        raise ConfigError(f"a table is written as some of {', '.join(TABLE_FORMATS)}, got {forms}")
    return pictures, texts
