"""How long the command line takes to start.

python -m benchmarks.start
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from autoreg.database.writer import rebuild
from autoreg.runs.folder import Runs
from benchmarks.generate_trials import generate
from benchmarks.rows import Row, Times, seconds_of


def command(*words: str, folder: str) -> float:
    """Return how long a command takes."""
    return seconds_of(
        lambda: subprocess.run([sys.executable, "-m", "autoreg", *words], cwd=folder, check=True, capture_output=True)
    )


def rows() -> list[Row]:
    """Return the row of `--help` and that of a figure, each the median of some starts."""
    made = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder, 200)
        rebuild(folder / "results.db", Runs(folder / "runs"))
        empty = Times([seconds_of(lambda: subprocess.run([sys.executable, "-c", ""], check=True)) for _ in range(5)])
        for words, reach in ((["--help"], 0.3), (["report", "--figure", "B5"], 2.5)):
            command(*words, folder=name)  # with compiled files, as at every later start
            times = Times([command(*words, folder=name) for _ in range(5)])
            row = Row(
                what=f"autoreg {' '.join(words)}", against="", ours=str(times), other="", ratio="",
                reach=f"≤{reach} s", reached=times.typical <= reach, limit=f"Python itself starts in {empty}",
            )  # fmt: skip
            made.append(row)
    return made


if __name__ == "__main__":
    for row in rows():
        row.emit()
