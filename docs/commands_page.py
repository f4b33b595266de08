"""Writes docs/commands.md from the commands themselves: `python docs/commands_page.py`."""

import inspect
import textwrap
from pathlib import Path

import click

from autoreg.cli.help import EXIT_CODES
from autoreg.cli.main import cli

HEAD = """\
# Commands

`make docs` generates this page from the commands' own help; `autoreg COMMAND --help` shows the same. Data goes to
stdout. Progress, warnings and errors go to stderr, so that `autoreg query … > rows.csv` contains rows and nothing else.
"""


def page() -> str:
    context = click.Context(cli, info_name="autoreg")
    lines = [HEAD]
    for title, commands in cli.titles.items():
        lines += [f"## {title}", ""]
        for command in commands:
            lines += describe(command, context)
    _, *rows = EXIT_CODES.strip("\b\n").splitlines()
    lines += ["## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in (row.split(maxsplit=1) for row in rows)]
    return "\n".join(lines) + "\n"


def describe(command: click.Command, above: click.Context) -> list[str]:
    context = click.Context(command, info_name=command.name, parent=above, terminal_width=1000)
    lines = [f"### autoreg {command.name}", ""]
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        is_example = paragraph.startswith("\b")
        lines += [f"    {line}" for line in paragraph.splitlines()[1:]] if is_example else wrapped(paragraph)
        lines += [""]
    lines += [f"Usage: `{context.command_path} {' '.join(command.collect_usage_pieces(context))}`", ""]
    records = [option.get_help_record(context) for option in command.params if isinstance(option, click.Option)]
    if records:
        lines += ["| option | what it does |", "|---|---|"]
        lines += [*(f"| `{cell(flags)}` | {cell(text)} |" for flags, text in filter(None, records)), ""]
    return lines


def wrapped(paragraph: str) -> list[str]:
    return textwrap.wrap(" ".join(paragraph.split()), 120, break_long_words=False, break_on_hyphens=False)


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    Path(__file__).with_name("commands.md").write_text(page(), encoding="utf-8")
