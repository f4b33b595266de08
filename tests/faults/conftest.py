"""What the tests of this folder measure of each promise, as a table at the end of `make faults`."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.promises import Promise, table

#: The file that `make faults` leaves the table in.
REPORT = "AUTOREG_FAULTS"
MEASURED: list[tuple[str, str, str]] = []


@pytest.fixture
def promise() -> Promise:
    """Note what was measured of a promise: its name as in docs/reliability.md, its target, the result."""
    return lambda name, figure, measured: MEASURED.append((name, figure, measured))


@pytest.fixture(scope="session")
def failing_calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes calls of the system fail, for LD_PRELOAD."""
    made = tmp_path_factory.mktemp("library") / "failing_calls.so"
    source = Path(__file__).with_name("failing_calls.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", made, source, "-ldl"], check=True)
    return made


def machine() -> str:
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("torch", "ray", "duckdb")]
    return ", ".join([f"Python {platform.python_version()}", *versions, f"{os.cpu_count()} cores"])


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not MEASURED or not (report := os.environ.get(REPORT)):
        return
    text = f"{table(sorted(MEASURED))}\n\n{machine()}\n"
    terminalreporter.section("promises")
    terminalreporter.write_line(text)
    Path(report).parent.mkdir(parents=True, exist_ok=True)
    Path(report).write_text(f"# What `make faults` measured\n\n{text}", encoding="utf-8")
