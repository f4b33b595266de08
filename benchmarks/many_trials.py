"""10,000 trials in results.db: every report and every view.

python -m benchmarks.many_trials [TRIALS]
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from autoreg.database.connection import query, reading
from autoreg.database.writer import rebuild
from autoreg.runs.folder import Runs
from benchmarks.generate_trials import generate
from benchmarks.rows import Row, Times, seconds_of


def rows(trials: int) -> list[Row]:
    """Return the rows of bringing the trials in, of all reports, and of the slowest view."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder, trials)
        path = folder / "results.db"
        ingest = seconds_of(lambda: rebuild(path, Runs(folder / "runs")))
        report = [sys.executable, "-m", "autoreg", "report", "--all", "--out", name]
        reports = Times([seconds_of(lambda: subprocess.run(report, cwd=name, check=True, capture_output=True))])
        with reading(path) as connection:
            views = query(connection, "select view_name from duckdb_views() where not internal")["view_name"].to_list()
            seconds = {view: seconds_of(lambda view=view: query(connection, f'from "{view}"')) for view in views}
        size = path.stat().st_size / 1e6
    slowest = max(seconds, key=lambda view: seconds[view])
    return [
        Row(
            what=f"report --all, {trials:,} trials", against="", ours=str(reports), other="", ratio="",
            reach="≤15 s", reached=reports.typical <= 15, limit=f"results.db has {size:.0f} MB",
        ),
        Row(
            what=f"each of {len(views)} views, {trials:,} trials", against="",
            ours=f"{seconds[slowest]:.2g} s ({slowest}), all {sum(seconds.values()):.2g} s", other="", ratio="",
            reach="≤1 s", reached=seconds[slowest] <= 1,
        ),
        Row(
            what=f"rebuild of {trials:,} trials", against="", ours=f"{ingest:.3g} s", other="", ratio="", reach="",
            reached=None, limit=f"{ingest / trials * 1e3:.1f} ms a trial",
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    for row in rows(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000):
        row.emit()
