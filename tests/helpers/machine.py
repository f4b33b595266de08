"""What a test needs of the machine that it runs on."""

import shutil
import subprocess
import sys

import pytest

#: For tests that use `failing_calls`.
needs_a_compiler = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("cc"), reason="needs Linux and a C compiler"
)


def can_mount() -> bool:
    words = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return bool(shutil.which("unshare")) and subprocess.run(words, capture_output=True).returncode == 0


def can_unshare() -> bool:
    words = ["unshare", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc", "true"]
    return bool(shutil.which("unshare")) and subprocess.run(words, capture_output=True).returncode == 0
