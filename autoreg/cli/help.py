"""The titles over the commands, the exit codes, and the words that a choice takes."""

from itertools import chain
from typing import Any

import click
from typing_extensions import override

from autoreg.errors import did_you_mean

EXIT_CODES = """\b
Exit codes:
  0    all done
  1    some trials failed, or a step that was timed, or what was compared differs
  2    the command line or the sweep file is wrong
  3    data is missing, or not computed yet
  4    results.db is locked, damaged, or of a newer version
  130  interrupted; rerun the same command to resume
"""


class OneOf(click.Choice[str]):
    """A choice that answers an unknown word with the nearest."""

    @override
    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        return f"unknown {value!r}{did_you_mean(value, self.choices)}"


class TitledGroup(click.Group):
    """Commands below titles, in the order in which they are given."""

    def __init__(self, *arguments: Any, titles: dict[str, list[click.Command]], **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.titles = titles
        for command in chain.from_iterable(titles.values()):
            self.add_command(command)

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in self.titles.items():
            with formatter.section(title):
                formatter.write_dl([(command.name or "", command.get_short_help_str(200)) for command in commands])
