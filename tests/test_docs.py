"""The documentation is true: its links lead somewhere, its commands are commands, its code runs."""

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from autoreg.cli import cli

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("reports/**/*.md"), *ROOT.glob("reference/*.md")]
)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [block.split("```")[0] for block in text.split(f"```{language}\n")[1:]]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "#")):
            assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_line_is_one_that_autoreg_takes(page: Path) -> None:
    assert isinstance(cli, click.Group)
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in re.findall(r"^ {4}(?:[A-Z_]+=\S+ )*autoreg ([^#\n]*)", text, re.MULTILINE):
        for part in re.split(r"&&|\|\||[|>]", f"autoreg {line.replace('…', '')}")[:1]:
            _, name, *words = shlex.split(part)
            command = cli.commands[name]
            known = {flag for parameter in command.params for flag in parameter.opts}
            for word in words:
                if word.startswith("-"):
                    assert word.partition("=")[0] in known, f"{name} {word}"


@pytest.mark.parametrize("name", ["database", "commands"])
def test_a_page_that_is_made_is_up_to_date(name: str) -> None:
    spec = importlib.util.spec_from_file_location(f"{name}_page", ROOT / "docs" / f"{name}_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") == module.page(), "run `make docs`"
    assert "| column |  |" not in module.page()


def test_what_is_said_of_ones_own_things_runs(tmp_path: Path) -> None:
    network, dataset, metric = blocks("docs/own.md", "python")
    for name, code in (("mynets", network), ("mydata", dataset), ("mymetrics", metric)):
        (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
    [figure] = blocks("docs/own.md", "sql")
    (tmp_path / "wide.sql").write_text(figure, encoding="utf-8")
    sweep = {
        "name": "own",
        "network": {"name": "mynets:build", "units": 16}, "dataset": {"name": "mydata:rings", "noise": 0.2},
        "grid": {"width": ["1/2", 1, 2]}, "replicates": 2,
        "training": {"learning_rate": 0.1, "batch_size": 30, "epochs": 2},
        "measure": {"metrics": {"ablation": {}, "similarity": {}, "mymetrics:sparsity": {"threshold": 0.1}}},
    }  # fmt: skip
    (tmp_path / "own.yaml").write_text(json.dumps(sweep), encoding="utf-8")

    def run(*words: str) -> str:
        environment = os.environ | {"NO_COLOR": "1"}
        command = [sys.executable, "-m", "autoreg", *words]
        ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    run("sweep", "own.yaml")
    rows = json.loads(run("query", "select layer, active from mymetrics_sparsity", "--format", "json"))
    assert [row["layer"] for row in rows] == ["first"] * 6
    assert all(0 < row["active"] < 1 for row in rows)
    assert run("report", "--figure", "wide.sql").split()[0] == "reports/wide.png"
