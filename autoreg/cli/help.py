r"""How help reads: a line, examples, then options in groups; and how a mistake on the command line is answered.

The title over a command or an option stands where it is defined: `@command("Inspect")`, `@option(…, group="Where")`.
Examples are a paragraph of the docstring that begins with `\b`.
"""

import inspect
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import click
from typing_extensions import override

from autoreg.errors import did_you_mean

#: The titles of options without one of their own, which come first, and of `--help`, which comes last.
OPTIONS, HELP = "Options", "Help"

EXIT_CODES = [
    ("0", "all done"),
    ("1", "some trials failed, or what was compared differs"),
    ("2", "the command line or the sweep file is wrong"),
    ("3", "data is missing, or not computed yet"),
    ("4", "results.db is locked, damaged, or of a newer version"),
    ("130", "interrupted; rerun the same command to resume"),
]


class GroupedOption(click.Option):
    """An option below a title: `Where`, `Output`, or any other."""

    def __init__(self, *arguments: Any, group: str = OPTIONS, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.group = group


option = partial(click.option, cls=GroupedOption)


class OneOf(click.Choice[str]):
    """A choice that answers an unknown word with the nearest."""

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in self.choices:
            return str(value)
        flags = [name for name in param.opts if name.startswith("-")] if param else []
        name = flags[0] if flags else param.human_readable_name if param else "a choice"
        raise click.UsageError(f"{name} cannot be {value!r}{did_you_mean(value, self.choices)}", ctx)


class Command(click.Command):
    """A command below a title, whose help begins with what it does and examples."""

    title = "Others"

    @override
    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        summary, examples, rest = sections(self)
        formatter.write_text(summary)
        if examples:
            with formatter.section("Examples"):
                for line in examples:
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")
        formatter.write_paragraph()
        self.format_usage(ctx, formatter)
        for paragraph in rest:
            formatter.write_paragraph()
            formatter.write_text(paragraph)
        self.format_options(ctx, formatter)

    @override
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, options in option_groups(self, ctx).items():
            with formatter.section(title):
                formatter.write_dl([record for option in options if (record := option.get_help_record(ctx))])


class TitledGroup(Command, click.Group):
    """Commands below titles; an unknown one is answered with the nearest."""

    @override
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in command_groups(self).items():
            with formatter.section(title):
                formatter.write_dl([(name, command.short_help or "") for name, command in commands.items()])
        super().format_options(ctx, formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl(EXIT_CODES)

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not (args[0].startswith("-") or ctx.resilient_parsing):
            raise click.UsageError(f"unknown command {args[0]!r}{did_you_mean(args[0], self.commands)}")
        return super().resolve_command(ctx, args)


def command(title: str, name: str | None = None) -> Callable[[Callable[..., Any]], Command]:
    """Return a decorator that makes a function a command below a title: `Run`, `Inspect`, `Report`, `Maintain`."""

    def decorate(function: Callable[..., Any]) -> Command:
        decorated = click.command(name, cls=Command)(function)
        decorated.title = title
        decorated.short_help = re.split(r"[,:;.]( |$)", sections(decorated)[0])[0]
        return decorated

    return decorate


def sections(command: click.Command) -> tuple[str, list[str], list[str]]:
    """Return of a command's docstring its first paragraph, the lines of its examples, and its other paragraphs."""
    summary, *rest = inspect.cleandoc(command.help or "").split("\n\n")
    examples = [paragraph for paragraph in rest if paragraph.startswith("\b\n") and "autoreg " in paragraph]
    lines = [line for paragraph in examples for line in paragraph.splitlines()[1:]]
    return " ".join(summary.split()), lines, [paragraph for paragraph in rest if paragraph not in examples]


def command_groups(group: click.Group) -> dict[str, dict[str, click.Command]]:
    """Return the commands below each title, by name, as they were added."""
    groups: dict[str, dict[str, click.Command]] = {}
    for name, command in group.commands.items():
        groups.setdefault(getattr(command, "title", Command.title), {})[name] = command
    return groups


def option_groups(command: click.Command, context: click.Context) -> dict[str, list[click.Option]]:
    """Return the options below each title: those without one first, help last."""
    groups: dict[str, list[click.Option]] = {OPTIONS: []}
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option):
            title = HELP if "--help" in parameter.opts else getattr(parameter, "group", OPTIONS)
            groups.setdefault(title, []).append(parameter)
    return {title: options for title, options in groups.items() if options}


def mistake(error: click.ClickException) -> str:
    """Return what is wrong with a command line, in one line, with where to look."""
    text = " ".join(error.format_message().split()).rstrip(".")
    if isinstance(error, click.NoSuchOption):
        near = f"; did you mean {error.possibilities[0]!r}?" if error.possibilities else ""
        text = f"unknown option {error.option_name!r}{near}"
    where = f"; see `{error.ctx.command_path} --help`" if isinstance(error, click.UsageError) and error.ctx else ""
    return text + where
