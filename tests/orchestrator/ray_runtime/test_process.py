"""A process that hangs ends itself and says where it stood."""

import subprocess
import sys
from pathlib import Path

from autoreg.orchestrator.ray_runtime.process import time_limit

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


def test_what_ends_in_time_leaves_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with time_limit(60, trace):
        assert not trace.read_text()
    with time_limit(None, trace):
        pass
    assert not trace.exists()
