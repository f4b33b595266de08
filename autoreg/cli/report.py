"""`autoreg report`: which figures, tables or page, in which formats."""

import sys
from functools import partial
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from autoreg.cli import completion
from autoreg.cli.help import OneOf
from autoreg.cli.options import DATABASE, JSON, RUNS, print_json, print_text
from autoreg.errors import ConfigError, DataError, shown
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
    "--watch", is_flag=True, help="With --html: serve the page to this machine and follow the sweep until Ctrl-C."
)
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
@RUNS
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("reports"), show_default=True,
    help="The folder to write to.",
)  # fmt: skip
@JSON
def report(
    figures: tuple[str, ...], tables: tuple[str, ...], compare: bool, every: bool, html: bool, watch: bool,
    forms: str | None, definition: str, sweep_name: str | None, database: Path, runs: Path, out: Path, as_json: bool,
) -> None:  # fmt: skip
    """Make figures and tables from results.db.

    \b
    autoreg report --figure 6 --figure B5
    autoreg report --table 1 --compare
    autoreg report --html --figure my.sql
    autoreg report --html --watch

    A figure is written as PNG, PDF, the CSV behind it and a JSON file with its provenance; the paper's values stand
    behind ours, thin and grey. A table is written as Markdown, CSV and LaTeX. With --json, each is an object with
    its `files`, its `rows` with every column, of a figure what is `missing`, or the `error` why it is not there.
    """  # noqa: D301
    from autoreg.database.connection import reading
    from autoreg.report.figure import figures_with_data, read_figure
    from autoreg.report.figures.source import FigureSource, find_figures
    from autoreg.report.formats import as_json as rows_of
    from autoreg.report.page.serve import watch_page
    from autoreg.report.page.write import read_page, write_page
    from autoreg.report.table import read_table

    if not (figures or tables or compare or every or html):
        raise ConfigError("say what to make: --figure NAME, --table NAME, --compare, --all or --html")
    tables = (*tables, *(["comparison"] if compare else []))
    is_asked = click.get_current_context().get_parameter_source("definition") is not ParameterSource.DEFAULT
    if is_asked and not (figures or every or html):
        raise ConfigError("--definition is for figures and the page; a table has both, or says of which it is")
    pictures, texts = _formats(forms, bool(figures), bool(tables))
    sources = [source for name in figures for source in find_figures(name)]
    own = [source for source in sources if not source.is_packaged]
    read = partial(read_page, definition=definition, sweep=sweep_name, runs=runs, own=own)
    if watch:
        if not html or tables or every or forms or as_json or len(own) < len(sources):
            raise ConfigError("--watch follows the page alone: leave all but --html and figures of your own out")
        watch_page(database, read, out, print_text)

    def draw(source: FigureSource) -> dict[str, Any]:
        made = read_figure(connection, source, definition, sweep_name)
        remarks = [remark for remark in made.remarks if not remark.startswith("incomplete")]
        facts = {"sweep_id": made.sweep_id, "missing": made.missing, "remarks": remarks, "rows": rows_of(made.frame)}
        return {"files": made.write(out, pictures), **facts}

    def tabulate(name: str) -> dict[str, Any]:
        made = read_table(connection, name, sweep_name)
        return {"files": made.write(out, texts), "rows": rows_of(made.frame)}

    done: list[dict[str, Any]] = []
    with reading(database) as connection:
        if html:
            done.append({"page": "report", "files": [write_page(read(connection), out)]})
            _print_made(done[-1], as_json)
        if every and pictures:
            sources += [source for name in figures_with_data(connection, sweep_name) for source in find_figures(name)]
        if every and texts:
            tables += tuple(table_names())
        reports = [("figure", source.name, partial(draw, source)) for source in sources]
        reports += [("table", name, partial(tabulate, name)) for name in tables]
        for kind, name, make in reports:
            try:
                done.append({kind: name, **make()})
            except DataError as error:
                done.append({kind: name, "error": str(error)})
            _print_made(done[-1], as_json)
    if as_json:
        print_json(done)
    lacking = ["error" in made for made in done]
    if all(lacking) or (any(lacking) and not every):  # of all, those that have trials will do
        sys.exit(DataError.exit_code)


def _print_made(made: dict[str, Any], as_json: bool) -> None:
    """Print what was written, unless it comes as JSON, and say what is wrong with it."""
    if made.get("missing"):
        print_text("\n  ".join([f"figure {made['figure']} is incomplete, missing:", *made["missing"]]), err=True)
    for remark in made.get("remarks", ()):
        print_text(f"figure {made['figure']}: {remark}", err=True)
    if "error" in made:
        print_text(f"autoreg: {made['error']}", err=True)
    elif not as_json:
        click.echo("\n".join(map(str, made["files"])))


def _formats(forms: str | None, figures: bool, tables: bool) -> tuple[list[str], list[str]]:
    """Return what figures and what tables are written as. Raises ConfigError if one of them would not be written."""
    from autoreg.report.figure import DEFAULT_FORMATS, FORMATS
    from autoreg.report.formats import FORMATS as TABLE_FORMATS

    if forms is None:
        return list(DEFAULT_FORMATS), list(TABLE_FORMATS)
    asked = forms.split(",")
    pictures, texts = ([form for form in known if form in asked] for known in (FORMATS, TABLE_FORMATS))
    if (figures and not pictures) or (tables and not texts) or not {*asked} <= {*FORMATS, *TABLE_FORMATS}:
        raise ConfigError(
            f"--format names some of {', '.join(FORMATS)} for figures, of {', '.join(TABLE_FORMATS)} for tables, "
            f"got {shown(forms)}"
        )
    return pictures, texts
