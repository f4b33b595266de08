"""What finished trials of the run folder say of those to come, as far as they ran on a device like this one."""

from collections import defaultdict
from collections.abc import Iterable, Set
from contextlib import suppress
from statistics import median

from autoreg.config.trial import TrialConfig
from autoreg.errors import DataError
from autoreg.metrics.measure import Measurement
from autoreg.orchestrator.forecast.kinds import Kind, Place, place_of
from autoreg.runs.folder import Runs, TrialFolder

#: More trials of one place tell no more.
ENOUGH = 20


class History:
    """Trials that have ended, by where their time was spent.

    Args:
        device: as `result.json` names it: `cpu`, or a GPU's name.
        threads: of a trial.
    """

    def __init__(self, device: str, threads: int) -> None:
        self._device, self._threads = device, str(threads)
        self._epochs: dict[Place, list[float]] = defaultdict(list)
        self._sizes: dict[tuple[str, str, float], list[int]] = defaultdict(list)
        self._seen: set[str] = set()

    def read(self, runs: Runs, planned: Iterable[TrialConfig], kinds: Set[Kind], wanted: list[Measurement]) -> None:
        """Read trials that have ended: those planned first, then others of their kinds.

        Args:
            runs: the run folder.
            planned: trials of the sweep that have ended.
            kinds: what the sweep has trials of.
            wanted: the measurements whose files are looked at.
        """
        for config in planned:
            with suppress(DataError):  # what is damaged is told when the sweep runs
                self._note(config, runs.trial(config.trial_id), wanted)
        for folder in runs.trials():
            if folder.trial_id not in self._seen:
                with suppress(DataError):
                    config = folder.read_config()
                    if place_of(config).kind in kinds:
                        self._note(config, folder, wanted)

    def _note(self, config: TrialConfig, folder: TrialFolder, wanted: list[Measurement]) -> None:
        self._seen.add(config.trial_id)
        place = place_of(config)
        if len(self._epochs[place]) < ENOUGH:
            result = folder.read_result()
            threads = result.environment.get("threads", self._threads)
            if result.epochs_run and (result.device, threads) == (self._device, self._threads):
                self._epochs[place].append(result.seconds / result.epochs_run)
        paths = [made.path(folder) for made in wanted]
        if config.kind == "final" and paths and all(path.is_file() for path in paths):
            sizes = self._sizes[str(config.network), str(config.dataset), config.width]
            if len(sizes) < ENOUGH:
                sizes.append(sum(path.stat().st_size for path in paths))

    def epoch_seconds(self, place: Place) -> float | None:
        """Return the median seconds of an epoch there, or None if no trial has ended there."""
        found = self._epochs.get(place)
        return median(found) if found else None

    def measurement_bytes(self, config: TrialConfig) -> float | None:
        """Return the median size of the measurements of trials like one, or None if none is measured."""
        found = self._sizes.get((str(config.network), str(config.dataset), config.width))
        return median(found) if found else None

    def epochs(self) -> dict[Place, list[float]]:
        """Return the seconds of an epoch of each trial, by where they were spent."""
        return {place: seconds for place, seconds in self._epochs.items() if seconds}
