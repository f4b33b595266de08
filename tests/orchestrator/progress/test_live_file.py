"""What other terminals are told of a sweep that runs: the truth, or nothing."""

import json
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.progress import live_file as live_state
from autoreg.orchestrator.progress.counts import Counts, RunningTrial
from autoreg.orchestrator.progress.live_file import LiveStateFile, running_sweeps
from autoreg.runs.folder import Runs


@pytest.fixture
def counts(config: Callable[..., TrialConfig]) -> Counts:
    trial = RunningTrial(config(), since=1.0, loss=None, accuracy=0.5)
    return Counts(total=4, skipped=1, began=1.0, running={"a": trial}, seconds_left=(1.0, 2.0))


@pytest.fixture
def file(runs: Runs, counts: Counts) -> LiveStateFile:
    scratch = runs.scratch / "small-1"
    scratch.mkdir(parents=True)
    return LiveStateFile(scratch, "abc", "small", counts)


def hold_and_die(scratch: Path, counts: Counts) -> None:
    file = LiveStateFile(scratch, "abc", "small", counts)
    with file.kept():
        file.update()
        os._exit(1)


def hold(scratch: Path, counts: Counts) -> None:
    file = LiveStateFile(scratch, "abc", "small", counts)
    with file.kept():
        file.update()
        time.sleep(60)


def test_what_runs_is_told_while_its_driver_lives(runs: Runs, file: LiveStateFile, counts: Counts) -> None:
    assert running_sweeps(runs) == []
    with file.kept():
        file.update()
        [state] = running_sweeps(runs)
        assert (state.name, state.sweep_id, state.process) == ("small", "abc", os.getpid())
        assert state.counts == counts
    assert running_sweeps(runs) == []


@pytest.mark.parametrize("is_killed", [True, False])
def test_a_driver_of_another_process_is_seen_until_it_dies(runs: Runs, counts: Counts, is_killed: bool) -> None:
    scratch = runs.scratch / "small-1"
    scratch.mkdir(parents=True)
    context = multiprocessing.get_context("spawn")
    other = context.Process(target=hold, args=(scratch, counts))
    if is_killed:
        other = context.Process(target=hold_and_die, args=(scratch, counts))
    other.start()
    if is_killed:
        other.join()
        assert (scratch / live_state.STATE).exists()
        assert (scratch / live_state.LOCK).exists()
    else:
        while not running_sweeps(runs):
            time.sleep(0.01)
        other.kill()
        other.join()
    assert running_sweeps(runs) == []


def test_it_is_written_every_two_seconds_at_most(file: LiveStateFile, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("autoreg.orchestrator.progress.live_file.time.monotonic", lambda: now)
    file.update()
    first = file._path.stat().st_ino
    now += 1.9
    file.update()
    assert file._path.stat().st_ino == first
    now += 0.2
    file.update()
    assert file._path.stat().st_ino != first


@pytest.mark.parametrize("content", ["", "{", "[]", '{"sweep_id": 1}', json.dumps({"name": "x" * 10})])
def test_a_strange_file_is_nothing_that_runs(runs: Runs, file: LiveStateFile, content: str) -> None:
    with file.kept():
        file._path.write_text(content)
        assert running_sweeps(runs) == []


def test_a_disk_that_takes_nothing_stops_no_sweep(file: LiveStateFile, runs: Runs) -> None:
    file._path.with_name(f".{live_state.STATE}.tmp").mkdir()
    file.update()
    with file.kept():
        assert running_sweeps(runs) == []
