"""The run folder: whole files or none, and a folder that belongs to another trial is refused."""

import errno
import json
import multiprocessing
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from autoreg.config.trial import TrialConfig
from autoreg.errors import DataError
from autoreg.files import write_atomically, write_text
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.records import DamagedResult


def fail(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def fail_the_second_time() -> Callable[[int], None]:
    calls = iter((os.fsync, fail))
    return lambda descriptor: next(calls)(descriptor)


def half_written(path: Path) -> None:
    path.write_text("half")
    fail()


@pytest.mark.parametrize("step", ["write", "fsync of the file", "rename", "fsync of the folder"])
def test_a_file_that_fails_at_any_step_is_the_old_or_the_new_one_and_leaves_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    target = tmp_path / "file"
    write_text(target, "before")
    if step == "fsync of the file":
        monkeypatch.setattr(os, "fsync", fail)
    elif step == "fsync of the folder":
        monkeypatch.setattr(os, "fsync", fail_the_second_time())
    elif step == "rename":
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(target, half_written if step == "write" else lambda path: path.write_text("after"))
    assert target.read_text() == ("after" if step == "fsync of the folder" else "before")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_who_holds_a_trial_removes_what_a_killed_process_left_half_written(
    runs: Runs, trial: Callable[..., TrialFolder]
) -> None:
    folder = trial()
    whole = sorted(path for path in folder.path.rglob("*") if path.is_file())
    (folder.path / ".resume.pt.01234567.tmp").touch()
    (folder.measurements / ".ablation-0.parquet.01234567.tmp").touch()
    with folder.locked():
        assert sorted(path for path in folder.path.rglob("*") if path.is_file()) == whole


@pytest.mark.parametrize("removed", range(5))
def test_a_trial_whose_discarding_is_killed_is_found_damaged_again_or_knows_why(
    trial: Callable[..., TrialFolder], monkeypatch: pytest.MonkeyPatch, removed: int
) -> None:
    folder = trial()
    folder.checkpoint_path.touch()
    real, left = Path.unlink, iter(range(removed))

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if not path.name.endswith(".tmp"):
            next(left)
        real(path, missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", unlink)
        with suppress(StopIteration):
            folder.discard("checkpoint.pt was damaged")
    assert folder.discarded == "checkpoint.pt was damaged"
    if folder.is_trained:
        assert folder.checkpoint_path.exists(), "or it would be found missing, not damaged"
    else:
        assert not folder.measurement_paths()
    folder.discard("checkpoint.pt was damaged")
    left_over = {path.name for path in folder.path.rglob("*") if path.is_file()}
    assert left_over == {"config.json", "discarded.json"}


@pytest.mark.parametrize("text", ["", "[]", "{}", "\x00"])
def test_a_damaged_reason_does_not_keep_a_trial_from_being_trained_again(runs: Runs, text: str) -> None:
    folder = runs.trial("0123456789abcdef-r0")
    assert folder.discarded is None
    write_text(folder.discarded_path, text)
    assert folder.discarded == "its files were damaged, as was discarded.json"


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


def test_a_result_says_whose_it_is_and_is_read_only_there_and_as_it_was_written(
    trial: Callable[..., TrialFolder],
) -> None:
    mine, other = trial(), trial(replicate=1)
    text = mine.result_path.read_text()
    assert json.loads(text)["trial_id"] == mine.trial_id
    result = mine.read_result()
    mine.result_path.write_text(other.result_path.read_text())
    with pytest.raises(DamagedResult, match=f"it is of trial {other.trial_id}, not of {mine.trial_id}"):
        mine.read_result()
    mine.result_path.write_text(text.replace('"test_accuracy":0.5', '"test_accuracy":0.6'))
    with pytest.raises(DamagedResult, match="its content is not what was written"):
        mine.read_result()
    plain = json.dumps({key: value for key, value in json.loads(text).items() if key not in ("trial_id", "digest")})
    mine.result_path.write_text(plain)  # as the first versions wrote it
    assert mine.read_result() == result


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kind": "final"}', "\x00\xff"])
def test_a_damaged_config_or_result_is_named(runs: Runs, text: str) -> None:
    folder = runs.trial("0123456789abcdef-r0")
    write_text(folder.config_path, text)
    write_text(folder.result_path, text)
    with pytest.raises(DataError, match=r"config.json: cannot be read"):
        folder.read_config()
    with pytest.raises(DamagedResult, match=r"result.json: cannot be read"):
        folder.read_result()


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "denied"), OSError(errno.EIO, "Input/output error")])
def test_a_result_that_may_not_be_read_is_not_taken_for_a_damaged_one(
    trial: Callable[..., TrialFolder], monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    folder = trial()
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DataError, match=r"result.json: cannot be read") as raised:
        folder.read_result()
    assert not isinstance(raised.value, DamagedResult), "or a finished trial would be thrown away"


def test_only_trained_trials_count(
    runs: Runs, trial: Callable[..., TrialFolder], config: Callable[..., TrialConfig]
) -> None:
    begun = runs.trial(config(replicate=7).trial_id)
    begun.write_config(config(replicate=7))
    done = trial()
    assert [folder.trial_id for folder in runs.trials()] == [done.trial_id]
    assert not begun.is_trained


def _hold(path: Path) -> None:
    with TrialFolder(path).locked():
        (path / "held").touch()
        while not (path / "let go").exists():
            time.sleep(0.01)
        (path / "released").touch()


def test_a_trial_is_held_by_one_process_at_a_time(runs: Runs) -> None:
    folder = runs.trial("0123456789abcdef-r0")
    folder.path.mkdir(parents=True)
    other = multiprocessing.get_context("spawn").Process(target=_hold, args=(folder.path,))
    other.start()
    while not (folder.path / "held").exists():
        time.sleep(0.01)
    with folder.locked(give_up=lambda: True) as held:
        assert not held
    (folder.path / "let go").touch()
    with folder.locked() as held:
        assert held
        assert (folder.path / "released").exists(), "the other process held it until then"
    other.join()


def test_what_was_half_written_long_ago_is_removed_and_what_is_being_written_is_not(runs: Runs) -> None:
    old, new, whole = (runs.studies / name for name in (".a.json.1.tmp", ".b.json.2.tmp", "a.json"))
    runs.studies.mkdir(parents=True)
    for path in (old, new, whole):
        path.touch()
    os.utime(old, (0, 0))
    os.utime(whole, (0, 0))
    runs.remove_temporary_files()
    assert sorted(path.name for path in runs.studies.iterdir()) == [".b.json.2.tmp", "a.json"]


@pytest.mark.parametrize("damage", ["", "{", '{"kind": "final"}'])
def test_a_damaged_config_is_written_again_since_the_folders_name_says_what_it_was(
    runs: Runs, config: Callable[..., TrialConfig], damage: str
) -> None:
    made = config()
    folder = runs.trial(made.trial_id)
    folder.write_config(made)
    whole = folder.config_path.read_text()
    folder.config_path.write_text(damage)
    folder.write_config(made)
    assert folder.config_path.read_text() == whole
