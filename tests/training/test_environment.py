"""A result says with what, where and from which commit it was trained."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from autoreg.training.environment import checked_out, environment_of


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_versions_and_the_machine_are_recorded() -> None:
    told = environment_of("hash of the data")
    for name in ("torch", "ray", "optuna", "numpy", "torchvision"):
        assert told[name].startswith(version(name).partition("+")[0])
    assert (told["host"], told["machine"], told["data"]) == (platform.node(), platform.machine(), "hash of the data")
    assert told["cpu"]


def test_the_commit_is_the_one_that_git_tells_in_whatever_form(tmp_path: Path) -> None:
    top, inside = tmp_path / "top", tmp_path / "top" / "sweeps"
    inside.mkdir(parents=True)
    assert checked_out(tmp_path) is None
    git(top, "init", "-q", "-b", "main")
    assert checked_out(inside) is None, "nothing is committed yet"
    git(top, "commit", "-q", "--allow-empty", "-m", "first")
    first = git(top, "rev-parse", "HEAD")
    assert checked_out(inside) == checked_out(top) == first
    git(top, "worktree", "add", "-q", "-b", "other", str(tmp_path / "other"))
    git(tmp_path / "other", "commit", "-q", "--allow-empty", "-m", "second")
    assert checked_out(tmp_path / "other") == git(tmp_path / "other", "rev-parse", "HEAD") != first
    git(top, "pack-refs", "--all")
    assert checked_out(inside) == first
    assert checked_out(tmp_path / "other") != first
    git(top, "checkout", "-q", "--detach")
    assert checked_out(inside) == first
