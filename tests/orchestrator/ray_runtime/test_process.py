"""A process that hangs ends itself and says where it stood; one that is done with a trial keeps no memory of it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autoreg.orchestrator.ray_runtime.process import ended_by, time_limit
from autoreg.orchestrator.ray_runtime.session import MALLOC

KEEPS = """
from pathlib import Path
import numpy as np
from autoreg.orchestrator.ray_runtime.process import give_memory_back

def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

before = megabytes()
arrays = [np.ones(1_000_000) for _ in range(20)]
del arrays
kept = megabytes() - before
give_memory_back("cpu")
print(kept, megabytes() - before)
"""
HANGS = """
import sys, threading
from pathlib import Path
from autoreg.orchestrator.ray_runtime.process import time_limit

def wait_for_nobody():
    threading.Event().wait()

with time_limit(0.2, Path(sys.argv[1])):
    wait_for_nobody()
"""


def test_a_process_that_hangs_is_over_when_its_time_is_and_its_stack_says_where(tmp_path: Path) -> None:
    trace = tmp_path / "new" / "trace"
    ended = subprocess.run([sys.executable, "-c", HANGS, str(trace)], timeout=60)
    assert ended.returncode == 1
    assert "wait_for_nobody" in trace.read_text()


def test_a_process_on_which_nobody_counts_any_more_ends_though_it_waits_for_an_answer(tmp_path: Path) -> None:
    over, program = tmp_path / "over", HANGS.replace("time_limit(0.2, ", "ended_by(").replace("time_limit", "ended_by")
    with subprocess.Popen([sys.executable, "-c", program, str(over)]) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(5)
        over.touch()
        assert process.wait(30) == 1


def test_a_process_that_is_done_before_goes_on(tmp_path: Path) -> None:
    with ended_by(tmp_path / "over"):
        pass
    (tmp_path / "over").touch()
    time.sleep(1.5)  # or this process would be gone


def test_what_ends_in_time_leaves_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with time_limit(60, trace):
        assert not trace.read_text()
    with time_limit(None, trace):
        pass
    assert not trace.exists()


def test_a_process_has_its_memory_at_hand_until_its_trial_is_over() -> None:
    environment = {**os.environ, **MALLOC}
    ended = subprocess.run([sys.executable, "-c", KEEPS], capture_output=True, text=True, env=environment, timeout=60)
    kept, left = map(float, ended.stdout.split())
    assert kept > 150
    assert left < 20
