"""A sweep in a thread that can be left behind: what it does afterwards counts for nothing."""

import time
from threading import Event

import pytest

from autoreg.orchestrator.backend import BackendLost
from autoreg.orchestrator.ray_runtime import turn
from autoreg.orchestrator.ray_runtime.stuck import is_stuck
from autoreg.orchestrator.ray_runtime.turn import LeftBehind, Turn, started, watched


def lose() -> None:
    raise BackendLost("gone")


def wait_until_none_is_stuck() -> None:
    deadline = time.monotonic() + 5
    while is_stuck():
        assert time.monotonic() < deadline


def test_work_is_done_to_its_end_and_its_errors_are_the_callers() -> None:
    done: list[bool] = []
    ours = Turn()
    watched(lambda: done.append(ours.is_ours), lambda: None, ours)
    assert done == [True]
    with pytest.raises(ZeroDivisionError):
        watched(lambda: done.append(1 // 0 > 0), lambda: None, Turn())


def test_a_call_that_does_not_return_is_left_behind_and_nothing_of_ours_runs_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turn, "SECONDS_TO_END", 0.1)
    ours, release, reached = Turn(), Event(), list[str]()

    def work() -> None:
        reached.append("ours")
        with ours.away():
            release.wait()
        reached.append("too late")

    with pytest.raises(BackendLost, match="gone"):
        watched(work, lose, ours)
    assert is_stuck(), "it waits in a library, where no exception reaches it"
    release.set()
    wait_until_none_is_stuck()
    assert reached == ["ours"]


def test_a_call_that_runs_python_ends_when_it_is_left_behind() -> None:
    ours = Turn()

    def work() -> None:
        with ours.away():
            while True:
                time.sleep(0.01)

    with pytest.raises(BackendLost, match="gone"):
        watched(work, lose, ours)
    assert not is_stuck()


def test_what_a_lost_library_tells_is_not_heard() -> None:
    lost, heard = list[bool](), list[str]()
    ours = Turn(lambda: bool(lost))

    def call_back() -> None:
        with ours.held():
            heard.append("called")

    def work() -> None:
        with ours.away():
            call_back()
            lost.append(True)
            with pytest.raises(LeftBehind):
                call_back()

    with pytest.raises(BackendLost, match="gone"):
        watched(work, lambda: lose() if lost else None, ours)
    assert heard == ["called"]


def test_a_start_that_takes_too_long_is_an_error_and_an_end_that_does_is_left_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turn, "SECONDS_TO_END", 0.1)
    release = Event()
    with pytest.raises(BackendLost, match=r"it took more than 0\.1 s"), started(release.wait, release.set, (0.1, 0.1)):
        pass
    release.set()
    wait_until_none_is_stuck()
    ended = Event()
    with started(lambda: None, ended.wait, (1, 0.1)):
        assert not is_stuck(), "the thread that has started it stays, but is not left behind"
    assert is_stuck()
    ended.set()
    wait_until_none_is_stuck()
    with pytest.raises(ZeroDivisionError), started(lambda: 1 // 0, lambda: None, (1, 1)):
        pass
