"""The run folder: whole files or none, and a folder that belongs to another trial is refused."""

import json
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from autoreg.config import TrialConfig
from autoreg.errors import DataError
from autoreg.runs import Runs, TrialFolder, write_atomically, write_text


def test_a_file_that_fails_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "file"
    write_text(target, "before")

    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(target, fail)
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_config_is_read_back_and_that_of_another_trial_refused(
    runs: Runs, config: Callable[..., TrialConfig]
) -> None:
    made = config()
    folder = runs.trial(made.trial_id)
    folder.write_config(made)
    assert folder.read_config() == made
    content = json.loads(folder.config_path.read_text())
    content["learning_rate"] = 0.7
    folder.config_path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="describes trial"):
        folder.read_config()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kind": "final"}', "\x00\xff"])
def test_a_damaged_config_or_result_is_named(runs: Runs, text: str) -> None:
    folder = runs.trial("0123456789abcdef-r0")
    write_text(folder.config_path, text)
    write_text(folder.result_path, text)
    with pytest.raises(DataError, match=r"config.json: cannot be read"):
        folder.read_config()
    with pytest.raises(DataError, match=r"result.json: cannot be read"):
        folder.read_result()


def test_only_trained_trials_count(
    runs: Runs, trial: Callable[..., TrialFolder], config: Callable[..., TrialConfig]
) -> None:
    begun = runs.trial(config(replicate=7).trial_id)
    begun.write_config(config(replicate=7))
    done = trial()
    assert [folder.trial_id for folder in runs.trials()] == [done.trial_id]
    assert not begun.is_trained


def _hold(path: Path, seconds: float) -> None:
    with TrialFolder(path).locked():
        (path / "held").touch()
        time.sleep(seconds)


def test_a_trial_is_held_by_one_process_at_a_time(runs: Runs) -> None:
    folder = runs.trial("0123456789abcdef-r0")
    folder.path.mkdir(parents=True)
    other = multiprocessing.get_context("spawn").Process(target=_hold, args=(folder.path, 1.0))
    other.start()
    while not (folder.path / "held").exists():
        time.sleep(0.01)
    with folder.locked(give_up=lambda: True) as held:
        assert not held
    started = time.monotonic()
    with folder.locked() as held:
        assert held
        assert time.monotonic() - started > 0.5
    other.join()
