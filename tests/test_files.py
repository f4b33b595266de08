"""A lock whose file goes with it is held by one at a time."""

import errno
import fcntl
import threading
import time
from pathlib import Path

import pytest

from autoreg import files
from autoreg.files import hold, is_held, write_atomically, write_text


def test_many_who_come_and_go_never_hold_it_together_and_leave_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SECONDS_BETWEEN_TRIES", 0.0)
    path = tmp_path / "locks" / "one"
    inside: list[int] = []
    together: list[list[int]] = []

    def come_and_go(name: int) -> None:
        for _ in range(200):
            with hold(path):
                inside.append(name)
                time.sleep(0)
                if len(inside) > 1:
                    together.append(list(inside))
                inside.remove(name)

    threads = [threading.Thread(target=come_and_go, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == []
    assert list(path.parent.iterdir()) == []


def test_a_file_that_another_machine_removed_is_opened_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, tries = fcntl.flock, []

    def flock(*arguments: int) -> None:
        tries.append(arguments)
        if len(tries) == 1:
            raise OSError(errno.ESTALE, "Stale file handle")
        real(*arguments)

    monkeypatch.setattr(fcntl, "flock", flock)
    with hold(tmp_path / "one") as is_held:
        assert is_held
    assert len(tries) == 2


def test_a_system_without_locks_is_an_error_and_no_endless_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(OSError, match="No locks"), hold(tmp_path / "one"):
        pass


def test_a_lock_that_is_held_is_seen_and_waited_for_no_longer_than_asked(tmp_path: Path) -> None:
    path = tmp_path / "one"
    with pytest.raises(FileNotFoundError):
        is_held(path)
    with hold(path):
        assert is_held(path)
        with hold(path, patience=0) as is_mine:
            assert not is_mine
        with hold(path, give_up=lambda: True) as is_mine:
            assert not is_mine
    with hold(path, patience=0) as is_mine:
        assert is_mine


def test_an_error_names_the_file_that_was_to_be_written_or_the_other_one_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder") as raised:
        write_text(tmp_path / "folder", "no file takes its place")
    assert raised.value.filename == str(tmp_path / "folder")
    with pytest.raises(FileNotFoundError) as missing:
        write_atomically(tmp_path / "new", lambda _: (tmp_path / "absent").read_bytes())
    assert Path(missing.value.filename) == tmp_path / "absent"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
