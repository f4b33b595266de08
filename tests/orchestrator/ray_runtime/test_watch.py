"""Whether anything goes on in a sweep, on a clock of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autoreg.config.sweep_file import LoadedSweep
from autoreg.orchestrator import events as ev
from autoreg.orchestrator.backend import BackendLost
from autoreg.orchestrator.jobs import Machine
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.ray_runtime import watch
from autoreg.orchestrator.ray_runtime.turn import Turn
from autoreg.orchestrator.ray_runtime.watch import Watch
from autoreg.orchestrator.runner import SweepRunner
from autoreg.runs.folder import Runs


class Clock:
    """A watch that looks twice a second, on a clock that is set by hand."""

    def __init__(self, watch: Watch) -> None:
        self.watch, self.now = watch, time.monotonic()

    def run(self, seconds: float) -> None:
        for _ in range(int(seconds * 2)):
            self.now += 0.5
            self.watch.look()


@pytest.fixture
def raylet() -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def runner(small: Callable[..., LoadedSweep], runs: Runs, tmp_path: Path) -> SweepRunner:
    """A sweep with a bundle that is to be trained."""
    runner = SweepRunner(make_plan(small("tune=null")), runs, tmp_path / "results.db")
    runner.scratch.mkdir(parents=True)
    runner.tell(ev.Connected(Machine()))
    assert runner.next_job()
    return runner


@pytest.fixture
def clock(runner: SweepRunner, raylet: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(Watch({"raylet": raylet}, runner, Turn()))
    monkeypatch.setattr(watch.time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(watch, "seconds_of_workers", dict)
    return clock


def test_a_process_of_rays_that_is_gone_is_noticed_at_the_next_look(
    clock: Clock, raylet: "subprocess.Popen[bytes]"
) -> None:
    clock.run(1)
    raylet.kill()
    raylet.wait()
    with pytest.raises(BackendLost, match="Ray's process raylet has died"):
        clock.run(0.5)


def test_silence_ends_a_sweep_within_a_minute_unless_something_is_heard(clock: Clock, runner: SweepRunner) -> None:
    for _ in range(3):
        clock.run(45)
        runner.tell(ev.BundleStarted("some bundle"))
    with pytest.raises(BackendLost, match="for 50 s nothing was heard of Ray"):
        clock.run(55)


def test_who_was_stopped_itself_has_not_listened(clock: Clock) -> None:
    clock.run(45)
    clock.now += 3600
    clock.run(3)
    with pytest.raises(BackendLost):
        clock.run(5)


def test_a_process_that_holds_a_trial_works_unless_it_waits_for_its_report_to_be_taken(
    clock: Clock, runner: SweepRunner
) -> None:
    [name] = runner.driver.running.names
    trial_id = next(iter(runner.driver.schedule.in_flight))
    with runner.runs.trial(trial_id).locked():
        clock.run(600)
        runner.driver.place.waiting(name).touch()
        with pytest.raises(BackendLost):
            clock.run(55)


def test_a_process_that_takes_a_core_works(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    began = clock.now
    monkeypatch.setattr(watch, "seconds_of_workers", lambda: {7: 0.2 * (clock.now - began)})
    clock.run(600)
    monkeypatch.setattr(watch, "seconds_of_workers", lambda: {7: 60 + 0.01 * (clock.now - began)})
    with pytest.raises(BackendLost):
        clock.run(70)


@pytest.mark.skipif(not Path("/proc/self/schedstat").is_file(), reason="the kernel does not count who waits for a core")
def test_a_worker_that_waits_for_a_core_does_not_count_as_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(watch.MARK, mark := "a sweep of its own")
    core, busy, idles = {min(os.sched_getaffinity(0))}, "while True: pass", "import time; time.sleep(60)"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", code, *name],
            env={watch.MARK: mark},
            preexec_fn=lambda: os.sched_setaffinity(0, core),
        )
        for code, *name in ([busy, "default_worker.py"], [idles, "default_worker.py"], [busy])
    ]
    try:
        os.setpriority(os.PRIO_PROCESS, workers[0].pid, 19)
        time.sleep(1)
        before = watch.seconds_of_workers()
        time.sleep(2)
        after = watch.seconds_of_workers()
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    trains, idle = (after[worker.pid] - before[worker.pid] for worker in workers[:2])
    assert trains > 1.0  # of which it got a hundredth
    assert idle < 0.1


def test_a_process_of_rays_that_only_stalls_has_five_minutes(clock: Clock, raylet: "subprocess.Popen[bytes]") -> None:
    os.kill(raylet.pid, signal.SIGSTOP)
    while watch.state_of(raylet.pid) != "T":
        pass
    clock.run(290)
    with pytest.raises(BackendLost, match="for 300 s nothing was heard of Ray"):
        clock.run(15)


def test_what_was_stopped_and_goes_on_has_a_minute_of_its_own(clock: Clock, raylet: "subprocess.Popen[bytes]") -> None:
    for number, state in ((signal.SIGSTOP, "T"), (signal.SIGCONT, "S")):
        os.kill(raylet.pid, number)
        while watch.state_of(raylet.pid) != state:
            pass
        clock.run({"T": 90, "S": 45}[state])
    with pytest.raises(BackendLost, match="for 50 s nothing was heard of Ray"):
        clock.run(10)


def test_once_the_user_wants_it_to_stop_silence_ends_it_within_seconds(clock: Clock, runner: SweepRunner) -> None:
    clock.run(20)
    runner.request_stop()
    with pytest.raises(BackendLost, match="Ray does not end"):
        clock.run(4)


def test_a_session_that_was_not_started_here_is_left_alone(runner: SweepRunner) -> None:
    Clock(Watch({}, runner, Turn())).run(600)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["/env/bin/python", "/env/ray/_private/workers/setup_worker.py", "/env/ray/workers/default_worker.py"], True),
        (["/env/bin/python", "/env/ray/workers/default_worker.py", "--node-ip-address=127.0.0.1"], True),
        (["ray::IDLE", "", ""], True),
        (["ray::ImplicitFunc.train", ""], True),
        (["ray::DashboardAgent", "", ""], False),
        (["ray::RuntimeEnvAgent"], False),
        (["/env/ray/raylet", "--python_worker_command=/env/bin/python /env/default_worker.py --session"], False),
        (["/env/ray/gcs_server", "--log_dir=/tmp"], False),
        ([""], False),
    ],
)
def test_only_processes_that_train_or_measure_are_workers(words: list[str], expected: bool) -> None:
    assert watch.is_worker(b"\0".join(word.encode() for word in words)) is expected
