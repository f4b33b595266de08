"""What a sweep does with two trials, without Ray: train, measure, commit; in a process that can be made to fail.

`python -m tests.faults.two_trials LIBRARY` answers each line of stdin, a `Case` in JSON, with an `Outcome` on stdout.
It forks a process for each run, since one that has loaded PyTorch is there in milliseconds that way; it starts no
thread itself. Calls fail by the library, failing_calls.c, which it is to be started with.
"""

import ctypes
import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # else the first optimizer would, in each fork

from autoreg.config.sweep_file import load_sweep
from autoreg.database.writer import Writer
from autoreg.errors import AutoregError, first_line
from autoreg.metrics.measure import measure_trial
from autoreg.orchestrator.failure import Kind, failure_of
from autoreg.orchestrator.plan import make_plan
from autoreg.runs.folder import Runs
from autoreg.training import loop, saving
from autoreg.training.checkpoints import load
from tests.helpers.small_sweep import write_sweep
from tests.helpers.sweep_process import rows_without_times

#: Kinds of calls, in the order of failing_calls.c.
KINDS = ("write", "fsync", "rename", "create", "mkdir")
KILL, ONLY_COUNT = 0, -1


@dataclass(frozen=True)
class Case:
    """The `call`-th call of a kind under `folder` fails with an error number; `stays` if all later ones do too."""

    folder: str
    kind: str = "write"
    call: int = 0
    error: int = ONLY_COUNT
    stays: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes:
        ended: `done`, `killed`, or the error that the disturbed run ended with.
        calls: how many calls of each kind it made.
        broken: what it left half written under the name of a whole file.
        rows: a digest of all rows after one more run, which nothing disturbed; an error if that one failed.
    """

    ended: str
    calls: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    rows: str = ""


def work(folder: Path) -> None:
    """Do what is not yet done of a sweep of two trials, and say in the log what was trained."""
    saving.SECONDS_BETWEEN_SAVES = 0.0
    plan = make_plan(load_sweep(write_sweep(folder.parent / "two.yaml", replicates=1, epochs=2)))
    runs = Runs(folder / "runs")
    writer = Writer(folder / "results.db", runs)
    planned = list(plan.schedule(runs).planned())
    runs.write_sweep(plan.record(planned))
    writer.queue_sweep(plan.sweep.sweep_id)
    for _, config in planned:
        trial = runs.trial(config.trial_id)
        with trial.locked():
            if not trial.is_trained:
                loop.train_trial(config, trial)
            try:
                measure_trial(trial, plan.measurements)
            except Exception as error:  # the task's end, of which the sweep's driver makes a line
                raise AutoregError(f"not measured: {type(error).__name__}: {first_line(error)}") from error
        writer.queue_trial(trial)
        if not writer.commit() or writer.problems:
            raise AutoregError("; ".join(writer.problems) or "the database is locked")


def half_files(folder: Path) -> list[str]:
    """Return what stands under its final name and is not whole."""
    import polars

    found = []
    runs = Runs(folder / "runs")
    checks: list[tuple[str, Callable[[Path], Any]]] = [
        ("*-r*/config.json", lambda path: runs.trial(path.parent.name).read_config()),
        ("*-r*/result.json", lambda path: runs.trial(path.parent.name).read_result()),
        ("*-r*/result.json", lambda path: load(path.with_name("checkpoint.pt"))),
        ("*-r*/*.pt", load),
        ("*-r*/measurements/[!.]*.parquet", lambda path: polars.read_parquet(path)),
        ("sweeps/*.json", lambda path: json.loads(path.read_text())),
    ]
    for pattern, check in checks:
        for path in runs.root.glob(pattern):
            try:
                check(path)
            except Exception as error:
                found.append(f"{path.relative_to(folder)}: {first_line(error)}")
    trials = [trial for trial in runs.trials() if trial.read_result().status != "done"]
    return found + [f"{trial.trial_id} is taken for a failed one" for trial in trials]


def finish(folder: Path) -> dict[str, Any]:
    """Look at what a disturbed run left, and go on undisturbed."""
    broken = half_files(folder)
    try:
        work(folder)
        rows = hashlib.sha256(repr(rows_without_times(folder / "results.db")).encode()).hexdigest()
    except Exception as error:
        rows = f"{type(error).__name__}: {first_line(error)}"
    return {"broken": broken, "rows": rows}


def disturbed(case: Case, library: ctypes.CDLL) -> dict[str, Any]:
    """Work while a call fails."""
    library.failing_calls_set(
        case.folder.encode(), KINDS.index(case.kind), ctypes.c_long(case.call), case.error, int(case.stays)
    )
    try:
        work(Path(case.folder))
        ended = "done"
    except Exception as error:
        expected = isinstance(error, AutoregError) or failure_of(error).kind is not Kind.TRIAL
        ended = f"{'' if expected else 'unexpected '}{type(error).__name__}: {first_line(error)}"
    return {"ended": ended, "calls": {kind: library.failing_calls_count(each) for each, kind in enumerate(KINDS)}}


def forked(run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what a function gives in a process of its own, or that it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            pipe.write(json.dumps(run()))
            pipe.flush()
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return {"ended": "killed"}
    return json.loads(text) if text else {"ended": f"unexpected exit status {status}"}


def answer(case: Case, library: ctypes.CDLL) -> Outcome:
    Path(case.folder).mkdir(parents=True, exist_ok=True)
    first = forked(lambda: disturbed(case, library))
    return Outcome(**first, **forked(lambda: finish(Path(case.folder))))


def main() -> None:
    torch.set_num_threads(1)
    library = ctypes.CDLL(sys.argv[1])
    library.failing_calls_count.restype = ctypes.c_long
    for line in sys.stdin:
        print(json.dumps(asdict(answer(Case(**json.loads(line)), library))), flush=True)


if __name__ == "__main__":
    main()
