"""What it costs to start a sweep whose trials are all done: seconds and memory, as JSON.

python -m benchmarks.resume /tmp/many
"""

import json
import resource
import sys
import time
from pathlib import Path

from autoreg.config.sweep_file import load_sweep
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.runner import SweepRunner
from autoreg.runs.folder import Runs


def measure(folder: Path) -> dict[str, float]:
    """Start the sweep in a folder of `generate_trials` twice, with a new results.db and with a full one.

    Returns:
        trials; ingest_seconds of the first start, in which every row is brought in; resume_seconds of the second, from
        the sweep file to the first trial that would run; memory_mb, the driver's largest resident set.
    """
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        plan, runs = make_plan(load_sweep(folder / "many.yaml")), Runs(folder / "runs")
        runner = SweepRunner(plan, runs, folder / "results.db")
        runner.begin()
        assert not runner.driver.has_work
        seconds.append(time.perf_counter() - started)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {
        "trials": runner.driver.counts.skipped,
        "ingest_seconds": seconds[0] - seconds[1],
        "resume_seconds": seconds[1],
        "memory_mb": memory,
    }


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
