"""What stands in the page for scripts and agents is so: every command runs, and prints objects with these keys."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.command_line import autoreg
from tests.test_docs import command_lines

PAGE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text(encoding="utf-8")
#: By what the table calls it, without the words that tell its rows of one command apart.
KEYS = {
    (command, what): set(keys.split(", "))
    for command, what, keys in re.findall(r"^\| `(.+?)`(?:, (.+?))? \| (.+) \|$", PAGE, re.MULTILINE)
}


def objects(words: list[str], printed: str) -> list[dict[str, Any]]:
    if words[0] == "sweep":
        return [json.loads(line) for line in printed.splitlines()]
    said = json.loads(printed)
    return said if isinstance(said, list) else [said]


def told_of(words: list[str], made: dict[str, Any]) -> set[str]:
    name = " ".join(words[:2]) if words[0] == "list" else words[0]
    if words[0] == "sweep":
        return KEYS[name, "the last line of each sweep" if made["event"] == "ended" else "lines of progress"]
    if words[0] == "report":
        return KEYS[name, "what cannot be made" if "error" in made else f"a {next(iter(made))}"]
    return KEYS[name, ""]


@pytest.mark.usefixtures("forks")
def test_the_commands_for_agents_run_in_their_order_and_print_what_the_page_says(tmp_path: Path) -> None:
    lines = list(command_lines(PAGE))
    assert len(lines) > 10
    seen = set()
    for words in lines:
        ended = autoreg(*words, cwd=tmp_path)
        made = [] if words[0] == "forget" else objects(words, ended.stdout)
        assert ended.returncode == (3 if made and all("error" in each for each in made) else 0), (words, ended.stderr)
        for each in made:
            assert each.keys() == told_of(words, each), words
        seen.add(words[0])
        if words[0] == "sweep":
            assert made[-1]["trained"] == sum(each.get("text", "").startswith(("done ", "tuned ")) for each in made)
            assert made[-1]["problems"] == []
        if words[:2] == ["list", "trials"]:
            shown = json.loads(autoreg("show", made[0]["trial_id"], "--json", cwd=tmp_path).stdout)
            assert shown["result"]["test_accuracy"] == made[0]["test_accuracy"]
        if words[:2] == ["report", "--figure"]:
            assert all((tmp_path / file).is_file() for each in made for file in each["files"])
            assert {row["width"] for row in made[0]["rows"]} == {0.25, 1.0, 4.0}
    assert seen >= {command.split()[0] for command, _ in KEYS}
    assert not list((tmp_path / "runs").glob("*-r*"))
