r"""How help reads: a line, examples, then options in groups; and how a mistake on the command line is answered.

The group of a command or an option stands where it is defined, `@command("Look")`, `@option("--out", group="Where")`;
an option without one says what the command does. Examples are a paragraph of the docstring that begins with `\b`.
"""

import inspect
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import click

#: The group of options that have none, which comes first; and that of `--help`, which comes last.
WHAT = "What"
HELP = "Help"


EXIT_CODES = [
    ("0", "all done"),
    ("1", "some trials failed, or what was compared differs"),
    ("2", "the command line or the sweep file is wrong"),
    ("3", "data is missing, or not computed yet"),
    ("4", "results.db is locked, damaged, or of a newer version"),
    ("130", "interrupted; the same command goes on"),
]


class Option(click.Option):
    """An option of a group: `What`, `Where`, `Output`, or any other title."""

    def __init__(self, *arguments: Any, group: str = WHAT, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.group = group


class Choice(click.Choice[str]):
    """A choice that answers an unknown word with the nearest."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> str:
        """Return the value. Raises click.BadParameter if it is none of the choices."""
        if value in self.choices:
            return str(value)
        from autoreg.errors import did_you_mean

        name = next((name for name in parameter.opts if name.startswith("-")), None) if parameter else None
        what = name or (parameter.human_readable_name if parameter else "a choice")
        raise click.UsageError(f"{what} cannot be {value!r}{did_you_mean(value, self.choices)}", context)


class Command(click.Command):
    """A command whose help begins with what it does and examples."""

    shelf = "Others"

    def format_help(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help: a line, examples, usage, the rest of the text, options."""
        summary, examples, rest = sections(self.help or "")
        formatter.write_text(summary)
        if examples:
            with formatter.section("Examples"):
                for line in examples:
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")
        formatter.write_paragraph()
        self.format_usage(context, formatter)
        for paragraph in rest:
            formatter.write_paragraph()
            formatter.write_text(paragraph)
        self.format_options(context, formatter)

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, a section for each group."""
        for title, options in option_groups(self, context):
            rows = [record for option in options if (record := option.get_help_record(context))]
            with formatter.section(title):
                formatter.write_dl(rows)


class Group(Command, click.Group):
    """Commands in groups; an unknown one is answered with the nearest."""

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the options."""
        for title, commands in command_groups(self):
            with formatter.section(title):
                formatter.write_dl([(name, summary_of(made)) for name, made in commands])
        super().format_options(context, formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl(EXIT_CODES)

    def resolve_command(
        self, context: click.Context, words: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the words begin with. Raises click.UsageError if there is none of that name."""
        if words and words[0] not in self.commands and not (words[0].startswith("-") or context.resilient_parsing):
            from autoreg.errors import did_you_mean

            raise click.UsageError(f"unknown command {words[0]!r}{did_you_mean(words[0], self.commands)}")
        return super().resolve_command(context, words)


def command(group: str, name: str | None = None, **attributes: Any) -> Callable[[Callable[..., Any]], Command]:
    """Return a decorator that makes a function a command of a group: `Run`, `Look`, `Report`, `Care` and so on."""

    def decorate(function: Callable[..., Any]) -> Command:
        made = click.command(name, cls=Command, **attributes)(function)
        made.shelf = group
        made.short_help = summary_of(made)
        return made

    return decorate


option = partial(click.option, cls=Option)


def sections(text: str) -> tuple[str, list[str], list[str]]:
    """Return of a docstring its first paragraph, the lines of its examples, and its other paragraphs."""
    summary, *rest = inspect.cleandoc(text).split("\f")[0].strip().split("\n\n")
    examples = [line for paragraph in rest if _is_example(paragraph) for line in paragraph.splitlines()[1:]]
    return " ".join(summary.split()), examples, [paragraph for paragraph in rest if not _is_example(paragraph)]


def summary_of(made: click.Command) -> str:
    """Return what a command does, up to the first comma, colon, semicolon or full stop."""
    return re.split(r"[,:;.]( |$)", sections(made.help or "")[0])[0]


def _is_example(paragraph: str) -> bool:
    return paragraph.startswith("\b\n") and "autoreg " in paragraph


def command_groups(group: click.Group) -> list[tuple[str, list[tuple[str, click.Command]]]]:
    """Return the titles of groups, and the commands of each as they were added."""
    return _grouped([(getattr(made, "shelf", "Others"), (name, made)) for name, made in group.commands.items()])


def option_groups(made: click.Command, context: click.Context) -> list[tuple[str, list[click.Parameter]]]:
    """Return the titles of groups, and the options of each: what first, then as they were added, help last."""
    options = [
        (HELP if "--help" in parameter.opts else getattr(parameter, "group", WHAT), parameter)
        for parameter in made.get_params(context)
        if isinstance(parameter, click.Option)
    ]
    return _grouped(sorted(options, key=lambda pair: (pair[0] != WHAT, pair[0] == HELP)))


def _grouped(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, list[Any]]]:
    groups: dict[str, list[Any]] = {}
    for title, thing in pairs:
        groups.setdefault(title, []).append(thing)
    return list(groups.items())


def mistake(error: click.ClickException) -> str:
    """Return what is wrong with a command line, in one line, with where to look."""
    if isinstance(error, click.NoSuchOption):
        near = f"; did you mean {error.possibilities[0]!r}?" if error.possibilities else ""
        text = f"unknown option {error.option_name!r}{near}"
    else:
        text = " ".join(error.format_message().split()).rstrip(".")
    where = f"; see `{error.ctx.command_path} --help`" if isinstance(error, click.UsageError) and error.ctx else ""
    return text + where
