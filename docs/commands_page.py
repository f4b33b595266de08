"""Writes docs/commands.md from the commands themselves: `python docs/commands_page.py`."""

import textwrap
from pathlib import Path

import click

from autoreg.cli.help import EXIT_CODES, command_groups, option_groups, sections
from autoreg.cli.main import cli

HEAD = """\
# Commands

`make docs` generates this page from the commands' own help; `autoreg COMMAND --help` shows the same. Data goes to
stdout. Progress, warnings and errors go to stderr, so that `autoreg query … > rows.csv` contains rows and nothing else.
"""


def page() -> str:
    context = click.Context(cli, info_name="autoreg")
    lines = [HEAD]
    for title, commands in command_groups(cli).items():
        lines += [f"## {title}", ""]
        for name, command in commands.items():
            lines += describe(name, command, context)
    lines += ["## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES]
    return "\n".join(lines) + "\n"


def describe(name: str, command: click.Command, above: click.Context) -> list[str]:
    context = click.Context(command, info_name=name, parent=above, terminal_width=1000)
    summary, examples, rest = sections(command)
    lines = [f"### autoreg {name}", "", *wrapped(summary), "", *(f"    {line}" for line in examples), ""]
    for paragraph in rest:
        lines += [*wrapped(paragraph), ""]
    arguments = " ".join(command.collect_usage_pieces(context))
    lines += [f"Usage: `autoreg {name} {arguments}`", "", "| option | what it does |", "|---|---|"]
    for title, options in option_groups(command, context).items():
        if title != "Help":
            rows = [option.get_help_record(context) or ("", "") for option in options]
            lines += [f"| **{title}** | |", *(f"| `{cell(flags)}` | {cell(text)} |" for flags, text in rows)]
    if lines[-1] == "|---|---|":
        lines[-3:] = []
    return [*lines, ""]


def wrapped(paragraph: str) -> list[str]:
    return textwrap.wrap(" ".join(paragraph.split()), 120, break_long_words=False, break_on_hyphens=False)


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    Path(__file__).with_name("commands.md").write_text(page(), encoding="utf-8")
