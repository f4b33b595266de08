"""Every command explains itself: examples first, options in groups; a mistake is answered with the nearest."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from autoreg.cli.help import Command, TitledGroup, mistake, option, option_groups, sections
from autoreg.cli.main import cli

COMMANDS = sorted(cli.commands)
PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def help_of(*words: str) -> str:
    return CliRunner().invoke(cli, [*words, "--help"], prog_name="autoreg", catch_exceptions=False).stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_begins_with_examples_that_it_takes(name: str) -> None:
    command = cli.commands[name]
    summary, examples, _ = sections(command)
    assert summary.endswith(".")
    assert examples, f"the docstring of {name} needs a paragraph of examples after a \\b"
    assert any(f"autoreg {name}" in line for line in examples)
    text = help_of(name)
    assert text.index(f"\n  {examples[0]}\n") < text.index(f"\nUsage: autoreg {name} ")
    for line in (example.replace('"$(', "").replace(')"', "") for example in examples):
        words = shlex.split(line.partition(f"autoreg {name} ")[2].partition("&&")[0].partition("#")[0].split(" | ")[0])
        known = {flag for parameter in command.params for flag in parameter.opts}
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help_and_a_place_in_the_page_of_commands(name: str) -> None:
    command = cli.commands[name]
    assert isinstance(command, Command), f"define {name} with autoreg.cli.help.command, which gives it a group"
    section = PAGE.read_text(encoding="utf-8").split(f"### autoreg {name}\n")[1].split("\n### ")[0]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.name}"
            assert re.search(rf"`(-., )?{parameter.opts[0]}\b", section), "run `make docs`"


def test_the_first_help_lists_every_command_and_the_exit_codes() -> None:
    text = help_of()
    assert text.index("Examples:") < text.index("Usage:") < text.index("Run:") < text.index("Exit codes:")
    for name in COMMANDS:
        assert f"\n  {name} " in text
    assert "Others:" not in text
    assert "..." not in text.split("Run:")[1]  # every summary is whole


def test_options_stand_in_groups_those_without_one_first_help_last() -> None:
    @cli_group.command(cls=Command)
    @option("--db", group="Where", help="A file.")
    @click.option("--plain", help="An option of click's own.")
    def thing() -> None:
        """Do."""

    context = click.Context(thing, help_option_names=["-h", "--help"])
    titles = [
        (title, [option.opts[-1] for option in options]) for title, options in option_groups(thing, context).items()
    ]
    assert titles == [("Options", ["--plain"]), ("Where", ["--db"]), ("Help", ["--help"])]
    assert thing.get_help(context).split("\n\n")[0] == "Do."


cli_group = TitledGroup("tool")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("swep", "unknown command 'swep'; did you mean 'sweep'?"),
        ("sweep --dryrun", "unknown option '--dryrun'; did you mean '--dry-run'?; see `autoreg sweep --help`"),
        ("--versio", "unknown option '--versio'; did you mean '--version'?; see `autoreg --help`"),
        ("list netwroks", "KIND cannot be 'netwroks'; did you mean 'networks'? (allowed: datasets, "),
        ("query x --format jsn", "--format cannot be 'jsn'; did you mean 'json'? (allowed: csv, json, parquet, table)"),
        ("report --definition txt", "--definition cannot be 'txt'; did you mean 'text'? (allowed: released, text)"),
        ("export x --format cvs", "--format cannot be 'cvs'; did you mean 'csv'?"),
        ("data cifar", "DATASET cannot be 'cifar'; did you mean 'cifar10'?"),
        ("completion bsh", "SHELL cannot be 'bsh'; did you mean 'bash'?"),
        ("show", "Missing argument 'TRIAL'; see `autoreg show --help`"),
        ("zzz", "unknown command 'zzz' (allowed: "),
    ],
)
def test_a_mistake_is_answered_with_the_nearest_and_where_to_look(words: str, answer: str) -> None:
    with pytest.raises(click.ClickException) as raised:
        cli.main(words.split(), prog_name="autoreg", standalone_mode=False)
    said = mistake(raised.value)
    assert said.startswith(answer)
    assert "\n" not in said


def test_the_version_names_what_a_report_of_a_bug_needs() -> None:
    said = CliRunner().invoke(cli, ["--version"]).stdout
    assert said.startswith("autoreg 0.")
    for name in ("Python", "torch", "ray", "optuna", "duckdb"):
        assert f"{name} " in said
