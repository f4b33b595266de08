"""results.db in memory: what of each trial was there when it was brought in."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autoreg.runs.folder import Runs, TrialFolder
from tests.faults.simulation.world import World


def row_of(folder: TrialFolder) -> Any:
    """Return what is told apart of a trial's rows."""
    result = folder.read_result()
    return result.status, result.error, [path.name for path in folder.measurement_paths()]


class Rows:
    """What is in results.db, over all runs of a sweep."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._rows: dict[str, Any] = {}

    def of(self, trial_id: str) -> Any:
        return self._rows.get(trial_id)

    def bring_in(self, folder: TrialFolder) -> None:
        self._rows[folder.trial_id] = row_of(folder)


class RowsWriter:
    """Stands in for `Writer` in one run of a sweep; now and then somebody holds the file."""

    def __init__(self, rows: Rows, runs: Runs) -> None:
        self.path, self.runs, self.problems = Path("results.db"), runs, list[str]()
        self._rows = rows
        self._queued: dict[str, TrialFolder] = {}

    @property
    def pending(self) -> int:
        return len(self._queued)

    def queue_trial(self, folder: TrialFolder) -> None:
        self._queued[folder.trial_id] = folder

    def queue_sweep(self, sweep_id: str) -> None: ...

    def known(self) -> Any:
        return SimpleNamespace(has_all_of=lambda folder, _: self._rows.of(folder.trial_id) == row_of(folder))

    def commit(self, patience: float = 0.0) -> bool:
        world = self._rows.world
        if not patience and world.strikes(world.rates.message):
            return False
        for folder in self._queued.values():
            if folder.is_trained:
                self._rows.bring_in(folder)
        self._queued = {}
        return True
