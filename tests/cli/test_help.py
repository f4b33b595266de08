"""Every command explains itself, with examples; a mistake is answered with the nearest."""

import inspect
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from autoreg.cli.main import cli
from tests.helpers.command_line import autoreg

COMMANDS = sorted(cli.commands)
PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def help_of(*words: str) -> str:
    return CliRunner().invoke(cli, [*words, "--help"], prog_name="autoreg", catch_exceptions=False).stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_begins_with_examples_that_it_takes(name: str) -> None:
    command = cli.commands[name]
    summary, examples, *_ = inspect.cleandoc(command.help or "").split("\n\n")
    assert summary.endswith(".")
    mark, *lines = examples.splitlines()
    assert mark == "\b", f"the second paragraph of the docstring of {name} is its examples, below a \\b"
    assert any(f"autoreg {name}" in line for line in lines)
    assert f"\n\n  {lines[0]}\n" in help_of(name)
    for line in lines:
        words = shlex.split(line.partition(f"autoreg {name} ")[2].partition("&&")[0].partition("#")[0].split(" | ")[0])
        known = {flag for parameter in command.params for flag in parameter.opts}
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help_and_an_entry_in_the_page_of_commands(name: str) -> None:
    section = PAGE.read_text(encoding="utf-8").split(f"### autoreg {name}\n")[1].split("\n### ")[0]
    for parameter in cli.commands[name].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.name}"
            assert re.search(rf"`(-., )?{parameter.opts[0]}\b", section), "run `make docs`"


def test_the_first_help_lists_every_command_and_the_exit_codes() -> None:
    text = help_of()
    assert text.index("Usage:") < text.index("Run:") < text.index("Maintain:") < text.index("Exit codes:")
    for name in COMMANDS:
        assert f"\n  {name} " in text
    assert "..." not in text.split("Run:")[1]  # every summary is whole


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("swep", "No such command 'swep'. Did you mean 'sweep'?; see `autoreg --help`"),
        ("report --compar", "No such option '--compar'. Did you mean '--compare'?; see `autoreg report --help`"),
        (
            "list netwroks",
            "Invalid value for 'KIND': unknown 'netwroks'; did you mean 'networks'? (allowed: data",
        ),
        ("query x --format jsn", "Invalid value for '--format': unknown 'jsn'; did you mean 'json'? (allowed: csv, "),
        ("show", "Missing argument 'TRIAL'; see `autoreg show --help`"),
    ],
)
def test_a_mistake_is_answered_with_the_nearest_and_where_to_look(words: str, answer: str, tmp_path: Path) -> None:
    ended = autoreg(*words.split(), cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"autoreg: {answer}")


def test_the_version_names_what_a_report_of_a_bug_needs() -> None:
    said = CliRunner().invoke(cli, ["--version"]).stdout
    assert said.startswith("autoreg 0.")
    for name in ("Python", "torch", "ray", "optuna", "duckdb"):
        assert f"{name} " in said
