"""Runs every row, each in a process of its own, and writes the table: `python -m benchmarks reports/bench.md`."""

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

PROGRAMS = [
    ["ablation"], ["similarity"], ["training", "cpu"], ["training", "cuda"], ["kernel"], ["sweeps", "tiny"],
    ["sweeps", "whole"], ["start"], ["many_trials"], ["page"], ["compression"],
]  # fmt: skip
COLUMNS = ["what", "against", "ours", "other", "ratio", "reach", "reached", "limit"]
SAID = {True: "yes", False: "**no**", None: "–"}


def machine() -> str:
    """Return what the figures were measured with."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("torch", "ray", "duckdb", "numpy")]
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return ", ".join(
        [model or platform.machine(), f"{os.cpu_count()} cores", f"Python {platform.python_version()}", *versions]
    )


def main(path: Path) -> int:
    """Write the table and return how many programs failed."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    failed = 0
    for program in PROGRAMS:
        words = [sys.executable, "-m", f"benchmarks.{program[0]}", *program[1:]]
        ended = subprocess.run(words, stdout=subprocess.PIPE, text=True)
        failed += bool(ended.returncode)
        for line in ended.stdout.splitlines():
            row = json.loads(line)
            row["reached"] = SAID[row["reached"]]
            lines.append(f"| {' | '.join(row[column] for column in COLUMNS)} |")
            print(lines[-1], flush=True)
    text = "\n".join(lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# What `make bench` measured\n\n{text}\n\n{machine()}\n", encoding="utf-8")
    return failed


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
