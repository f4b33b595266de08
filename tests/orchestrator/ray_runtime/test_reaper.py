"""Nothing of a sweep outlives its driver."""

import subprocess
import sys
import time
from pathlib import Path

from autoreg.orchestrator.ray_runtime.reaper import LAST_WORDS, processes_with

DRIVER = """
import os, subprocess, sys, time
from pathlib import Path
from autoreg.orchestrator.ray_runtime.reaper import MARK, Reaper

folder = Path(sys.argv[1])
before = os.environ.get(MARK)
with Reaper() as reaper:
    reaper.remove(folder)
    child = ["sh", "-c", "trap '' TERM INT HUP; while :; do sleep 60; done"]
    subprocess.Popen(child, start_new_session=True)
    print(os.environ[MARK], flush=True)
    if sys.argv[2] == "wait":
        time.sleep(60)
print(os.environ.get(MARK) == before, flush=True)
"""


def start(folder: Path, how: str) -> tuple[subprocess.Popen[str], str]:
    folder.mkdir()
    (folder / "file").touch()
    process = subprocess.Popen([sys.executable, "-c", DRIVER, folder, how], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, process.stdout.readline().strip()


def gone(mark: str, folder: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while processes_with(mark) or folder.exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_sweep_that_was_killed_says_how_to_go_on_and_one_that_ended_does_not(tmp_path: Path) -> None:
    for how in ("wait", "end"):
        with (tmp_path / how).open("w+") as errors:
            script = [sys.executable, "-c", DRIVER, tmp_path / "scratch", how]
            process = subprocess.Popen(script, stdout=subprocess.PIPE, stderr=errors)
            assert process.stdout
            mark = process.stdout.readline().decode().strip()
            if how == "wait":
                process.kill()
            process.communicate()
            assert gone(mark, tmp_path / "scratch", seconds=3)
            time.sleep(0.1)
            errors.seek(0)
            assert errors.read() == (f"{LAST_WORDS}\n" if how == "wait" else "")


def test_when_the_driver_is_killed_its_processes_are_and_its_folder_is_removed(tmp_path: Path) -> None:
    process, mark = start(tmp_path / "scratch", "wait")
    deadline = time.monotonic() + 10
    while not processes_with(mark):
        assert time.monotonic() < deadline
    assert (tmp_path / "scratch").exists()
    process.kill()
    process.communicate()
    assert gone(mark, tmp_path / "scratch", seconds=3)


def test_when_the_driver_is_through_nothing_is_left_either(tmp_path: Path) -> None:
    process, mark = start(tmp_path / "scratch", "end")
    rest, _ = process.communicate(timeout=20)
    assert rest == "True\n", "the mark is what it was before"
    assert process.returncode == 0
    assert gone(mark, tmp_path / "scratch", seconds=0)
