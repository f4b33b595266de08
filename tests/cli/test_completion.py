"""Shells complete commands, options and names, without paying for torch, ray or a database."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autoreg.packaged import sweep_names

TRIAL = "0123456789abcdef-r0"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a trial, a sweep file, and an `autoreg` that is this one."""
    for name in (TRIAL, "0fff-r12", "sweeps"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "autoreg"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m autoreg "$@"\n')
    program.chmod(0o755)
    return tmp_path


def in_shell(shell: str, code: str, here: Path) -> list[str]:
    path = f"{here / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run([shell, "-c", code], capture_output=True, text=True, cwd=here, env=environment)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.splitlines()


CASES = {
    "autoreg st": ["status"],
    "autoreg sweep qui": ["quickstart"],
    "autoreg sweep --dr": ["--dry-run"],
    "autoreg report --figure b1": ["B1", "B10", "B11", "B12", "B13"],
    "autoreg report --table v": ["verdicts"],
    "autoreg report --definition r": ["released"],
    "autoreg report --sweep cifar_init": ["cifar_init", "cifar_init_uniform"],
    "autoreg list n": ["networks"],
    "autoreg query x --format p": ["parquet"],
    "autoreg show 01": [TRIAL],
    "autoreg show --runs nowhere 01": [],
}


def test_bash_completes(here: Path) -> None:
    code = """
eval "$(_AUTOREG_COMPLETE=bash_source autoreg)"
complete -p autoreg >/dev/null
ask() { COMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=(); _autoreg_completion autoreg; echo "${COMPREPLY[*]}"; }
"""  # noqa: E501
    answers = in_shell("bash", code + "\n".join(f"ask '{line}'" for line in CASES), here)
    assert dict(zip(CASES, (line.split() for line in answers), strict=True)) == CASES


@pytest.mark.skipif(not shutil.which("fish"), reason="no fish here")
def test_fish_completes(here: Path) -> None:
    for line, names in CASES.items():
        answers = in_shell("fish", f"_AUTOREG_COMPLETE=fish_source autoreg | source; complete -C '{line}'", here)
        assert [answer.split("\t")[0] for answer in answers] == names, line


@pytest.mark.skipif(not shutil.which("zsh"), reason="no zsh here")
def test_zsh_takes_the_script(here: Path) -> None:
    code = (
        'autoload -Uz compinit; compinit -u -D; eval "$(_AUTOREG_COMPLETE=zsh_source autoreg)"; print $_comps[autoreg]'
    )
    assert in_shell("zsh", code, here) == ["_autoreg_completion"]


def test_a_key_press_imports_nothing_heavy(here: Path) -> None:
    code = (
        "import sys; from autoreg.cli.main import cli\n"
        "heavy = {'torch', 'ray', 'optuna', 'duckdb', 'polars', 'matplotlib', 'rich', 'yaml'}\n"
        "try: cli(prog_name='autoreg')\n"
        "except SystemExit: print(sorted(heavy & sys.modules.keys()), file=sys.stderr)"
    )
    for words, answer in (("sweep ", sweep_names()), ("report --figure b1", ["B1"]), ("show 01", [TRIAL])):
        variables = {"COMP_WORDS": f"autoreg {words}", "COMP_CWORD": str(len(words.split(" ")))}
        environment = os.environ | variables | {"_AUTOREG_COMPLETE": "bash_complete"}
        ended = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=here, check=True, env=environment
        )
        assert {f"plain,{name}" for name in answer} <= set(ended.stdout.split())
        assert ended.stderr == "[]\n"
