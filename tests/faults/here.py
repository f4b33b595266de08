"""Sweeps in this process, on the Ray session that all tests share, which saves each of them a start of Ray."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autoreg.config.sweep_file import load_sweep
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.run import Summary, run_sweep
from autoreg.runs.folder import Runs


def run_here(file: Path, folder: Path) -> Summary:
    """Run a sweep whose run folder and database lie in the folder."""
    return run_sweep(make_plan(load_sweep(file)), Runs(folder / "runs"), folder / "results.db")


@contextmanager
def one_core_left(ray: Any) -> Iterator[None]:
    """Keep all other cores of a Ray session busy, so that one trial runs at a time."""

    class Occupant:
        def is_there(self) -> bool:
            return True

    others = int(ray.cluster_resources()["CPU"]) - 1
    occupant = ray.remote(num_cpus=others)(Occupant).remote()
    assert ray.get(occupant.is_there.remote())
    try:
        yield
    finally:
        ray.kill(occupant)
