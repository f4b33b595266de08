"""Ray's own processes are killed or stopped, its messages lost: every row comes, or a line says what to do."""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.lost_messages import run_all
from tests.helpers.forked import run_file
from tests.helpers.promises import Promise
from tests.helpers.small_sweep import write_sweep
from tests.helpers.sweep_process import (
    MARK,
    finished_files,
    living,
    rows_without_times,
    start,
    trained_in,
    wait_for_trials,
)

pytestmark = pytest.mark.timeout(3600)
SECONDS_OF_A_STALL = 90.0
#: Far more than it takes to say that a process is gone.
PATIENCE = 60.0


def seconds_until(folder: Path, line: str) -> float:
    began = time.monotonic()
    while line not in (log := (folder / "log").read_text()):
        assert time.monotonic() < began + PATIENCE, log
        time.sleep(0.1)
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("program", "number", "epochs"),
    [
        pytest.param("raylet/raylet", signal.SIGKILL, 60),
        pytest.param("gcs_server", signal.SIGKILL, 400, marks=pytest.mark.slow),
        pytest.param("ray::RuntimeEnvAgent", signal.SIGKILL, 400, marks=pytest.mark.slow),
        pytest.param("raylet/raylet", signal.SIGSTOP, 400, marks=pytest.mark.slow),
        pytest.param("gcs_server", signal.SIGSTOP, 400, marks=pytest.mark.slow),
    ],
)
def test_without_one_of_rays_processes_a_sweep_ends_with_all_rows(
    program: str, number: signal.Signals, epochs: int, tmp_path: Path, promise: Promise
) -> None:
    folder = tmp_path / "sweep"
    file = write_sweep(tmp_path / "ray.yaml", replicates=6, epochs=epochs)
    process = start(file, folder, environment={MARK: str(folder)})
    wait_for_trials(folder, 1, process)
    before = finished_files(folder)
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes().decode() for pid in living(process, str(folder))}
    [target] = [pid for pid, command in commands.items() if program in command.replace("\0", " ").split(" --")[0]]
    os.kill(target, number)
    if number is signal.SIGKILL:
        said = f"said after {seconds_until(folder, 'has died; '):.1f} s, "
    else:
        said = ""
        time.sleep(SECONDS_OF_A_STALL)
        if process.poll() is None:
            os.kill(target, signal.SIGCONT)
    code, log = process.wait(300), (folder / "log").read_text()
    if code:  # a call of Ray's did not return
        assert number is signal.SIGKILL
        assert code == 1
        assert "rerun the same command to resume" in log
        run_file(file, folder)
    else:
        assert ("started again" in log) == (number is signal.SIGKILL)
    assert 1 <= len(names := trained_in(log)) == len(set(names)) <= 12
    now = finished_files(folder)
    assert {path: now.get(path) for path in before} == before, "what was finished has changed"
    run_file(file, tmp_path / "straight")
    assert rows_without_times(folder / "results.db") == rows_without_times(tmp_path / "straight" / "results.db")
    promise(
        "A sweep outlives a process of Ray's own that dies or stalls",
        "noticed within 10 s; every row once",
        f"{number.name} of {program}: {said}every row once, {'after a rerun' if code else 'without a rerun'}",
    )


@pytest.mark.slow
@pytest.mark.parametrize("percent", [1, 2, 5])
def test_when_messages_are_lost_a_sweep_ends_with_all_rows_or_with_a_line_and_resumes(
    percent: int, tmp_path: Path, promise: Promise
) -> None:
    outcomes = run_all(percent, int(os.environ.get("AUTOREG_LOST_MESSAGES", "12")), tmp_path / "outcomes")
    assert [outcome for outcome in outcomes if not outcome.is_as_promised] == []
    endings = Counter(outcome.ending for outcome in outcomes)
    promise(
        "Ray's lost messages leave every row, or one line and a folder that resumes",
        "0 lost, 0 twice, 0 hung",
        f"{percent} %: " + ", ".join(f"{count} with {ending}" for ending, count in endings.items()),
    )
