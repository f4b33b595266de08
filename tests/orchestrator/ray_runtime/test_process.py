"""A process that hangs ends itself and says where it stood."""

import subprocess
import sys
from pathlib import Path

from autoreg.orchestrator.failure import failure_of
from autoreg.orchestrator.ray_runtime.time_limit import stack_in, time_limit

HANGS = """
import sys, threading
from pathlib import Path
from autoreg.orchestrator.ray_runtime.time_limit import time_limit

def wait_for_nobody():
    threading.Event().wait()

with time_limit(0.2, Path(sys.argv[1])):
    wait_for_nobody()
"""


def test_a_process_that_hangs_is_over_when_its_time_is_and_its_stack_says_where(tmp_path: Path) -> None:
    trace = tmp_path / "new" / "trace"
    ended = subprocess.run([sys.executable, "-c", HANGS, str(trace)], timeout=60)
    assert ended.returncode == 1
    assert "wait_for_nobody" in (stack_in(trace) or "")
    failure = failure_of("The actor died unexpectedly", trace, 0.5)
    assert failure.is_final
    assert failure.why == "it was stopped after 0.5 h, which is resources.time_limit_hours"
    assert "wait_for_nobody" in failure.details


def test_what_ends_in_time_leaves_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with time_limit(60, trace):
        assert stack_in(trace) is None
    with time_limit(None, trace):
        pass
    assert not trace.exists()


def test_a_failure_says_what_may_help(tmp_path: Path) -> None:
    texts = {
        "ray.exceptions.RayTaskError\nMemoryError: no memory": (True, False),
        "torch.OutOfMemoryError: CUDA out of memory.": (True, False),
        "The actor died unexpectedly before finishing this task.": (True, False),
        "OSError: [Errno 28] No space left on device": (False, True),
        "RuntimeError: CUDA error: an illegal memory access was encountered": (False, False),
        "The actor died because its node has died.": (False, False),
    }
    failures = {text: failure_of(text, tmp_path / "none", None) for text in texts}
    assert {text: (made.wants_memory, made.is_storage) for text, made in failures.items()} == texts
    assert {made.why for made in failures.values()} == {text.splitlines()[-1] for text in texts}
    assert failure_of("", tmp_path / "none", None).why == "its process died"
