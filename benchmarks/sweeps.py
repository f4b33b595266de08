"""Whole sweeps, from the command to the last row: what ours adds to the trials, and what Ray Tune's defaults add.

python -m benchmarks.sweeps [tiny | whole]
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

from benchmarks.rows import Row, Times, ratio, seconds_of

CORES = 2
TINY = """\
name: tiny
figures: [B5]
network: mlp
dataset: {{name: teacher, dimensions: 10, train_size: 1000, validation_size: 1000, test_size: 1000}}
grid:
  width: [1/4, 1/2, 1, 2]
replicates: {replicates}
training: {{learning_rate: 0.1, batch_size: 128, epochs: 10}}
"""


def run(*words: str | Path) -> str:
    """Run a program of ours and return what it prints."""
    environment = os.environ | {"NO_COLOR": "1"}
    ended = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, env=environment)
    if ended.returncode:
        raise AssertionError(f"{words}: {ended.stderr}")
    return ended.stdout


def seconds_by(mode: str, runs: Path) -> float:
    """Return how long the trials of a run folder take once more; what Ray Tune prints comes before."""
    return float(run("benchmarks.bare_loop", mode, runs).splitlines()[-1])


def sweep(file: str | Path, folder: Path, *overrides: str) -> float:
    """Return how long a sweep takes, from the command to its end."""
    changes = [word for override in overrides for word in ("--set", override)]
    places = ["--runs", folder / "runs", "--db", folder / "results.db"]
    return seconds_of(lambda: run("autoreg", "sweep", file, *places, *changes))


def count(folder: Path) -> int:
    """Return how many trials are in results.db."""
    with duckdb.connect(folder / "results.db", read_only=True) as connection:
        return int(connection.execute("select count(*) from trials").fetchall()[0][0])


def tiny() -> Row:
    """Return the row of 64 tiny trials: what each further trial costs beside itself, the start apart."""
    with tempfile.TemporaryDirectory() as name:
        seconds = {}
        for replicates in (16, 80):
            folder = Path(name) / str(replicates)
            folder.mkdir()
            (folder / "tiny.yaml").write_text(TINY.format(replicates=replicates))
            seconds[replicates] = sweep(folder / "tiny.yaml", folder)
            assert count(folder) == 4 * replicates
        few, many = Path(name) / "16" / "runs", Path(name) / "80" / "runs"
        bare_few, bare = (
            seconds_by("loop", few),
            seconds_by("loop", many),
        )
        by_tune = seconds_by("tune", few)
    each = bare / 320
    ours = (seconds[80] - seconds[16]) / 256 - each / CORES
    other = by_tune / 64 - bare_few / 64 / CORES
    return Row(
        what="overhead of a tiny trial (MLP, 10 dimensions; trained, measured, in results.db)",
        against="Ray Tune's defaults, nothing saved",
        ours=f"{ours:.3f} s a trial; {seconds[16]:.1f} s for 64 in all",
        other=f"{other:.2f} s a trial; {by_tune:.0f} s for 64 after Ray's start; a bare loop {bare_few:.1f} s",
        ratio=f"{other / ours:.3g}×",
        reach="≤0.05 s; ≥50×",
        reached=ours <= 0.05 and other / ours >= 50,
        limit=f"the trial itself is {each:.3f} s of one core",
    )


def whole() -> Row:
    """Return the row of the sweep of Figure B5."""
    ours, other = [], []
    with tempfile.TemporaryDirectory() as name:
        single = [
            "grid.width=[1]",
            "grid.initializer=[glorot_normal]",
            "replicates=1",
            "tune=null",
            "training.epochs=1",
        ]
        alone = sweep("mlp_10d_init", Path(name) / "single", *single)
        for repetition in range(2):
            folder = Path(name) / str(repetition)
            folder.mkdir()
            ours.append(sweep("mlp_10d_init", folder))
            trials = count(folder)
            runs = folder / "runs"
            other.append(seconds_of(lambda runs=runs: run("benchmarks.bare_loop", "loop", runs)))
    our_times, other_times = Times(ours), Times(other)
    typical, text = ratio(our_times, other_times)
    floor = other_times.typical / CORES + alone
    return Row(
        what=f"the whole B5 sweep, {trials} trials, from the command to the last row, {CORES} cores",
        against="a bare sequential loop of the same trials, nothing saved",
        ours=str(our_times),
        other=str(other_times),
        ratio=text,
        reach="≥1.6×",
        reached=typical >= 1.6,
        limit=f"a sweep of one trial of one epoch takes {alone:.1f} s, Ray's start mostly; with it {CORES} cores need "
        f"{floor:.1f} s, {other_times.typical / floor:.2g}× as fast as the loop",
    )


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["tiny", "whole"]
    for name in chosen:
        {"tiny": tiny, "whole": whole}[name]().emit()
