"""The run folder: every path, atomic writes, and the answer to "is it done?"."""

import difflib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import ValidationError

from autoreg.config.trial import TrialConfig, canonical_json
from autoreg.errors import ConfigError, DataError, first_line
from autoreg.files import hold, read_json, write_text
from autoreg.runs.records import DamagedResult, SweepRecord, TrialResult

#: Nobody takes so long to write a file.
SECONDS_UNTIL_LEFT_OVER = 3600.0


class TrialFolder:
    """The folder of one trial: `config.json`, `result.json`, `checkpoint.pt`, `measurements/`; on the way `resume.pt`.

    A trial is trained once `result.json` is there, and measured once the measurement's file is. Where a longer trial
    goes on from this one, `resume.pt` stays until that one has ended. `resume.previous.pt` is the state saved before,
    in case the last one is damaged. `log.txt` tells people what happened, and is never read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trial_id = path.name

    @property
    def config_path(self) -> Path:
        """What the trial is."""
        return self.path / "config.json"

    @property
    def result_path(self) -> Path:
        """How its training ended."""
        return self.path / "result.json"

    @property
    def checkpoint_path(self) -> Path:
        """The trained network's weights."""
        return self.path / "checkpoint.pt"

    @property
    def resume_path(self) -> Path:
        """The last state saved in training."""
        return self.path / "resume.pt"

    @property
    def previous_resume_path(self) -> Path:
        """The state saved before the last."""
        return self.path / "resume.previous.pt"

    @property
    def discarded_path(self) -> Path:
        """Why it is to be trained again."""
        return self.path / "discarded.json"

    @property
    def log_path(self) -> Path:
        """What happened to it, for people; see `autoreg.trial_log`."""
        return self.path / "log.txt"

    @property
    def measurements(self) -> Path:
        """The folder of its measurements."""
        return self.path / "measurements"

    @property
    def is_trained(self) -> bool:
        """Whether training has ended, in whichever way."""
        return self.result_path.is_file()

    def forget_state(self) -> None:
        """Remove what training kept for its next start."""
        for path in (self.resume_path, self.previous_resume_path, self.discarded_path):
            path.unlink(missing_ok=True)

    def discard(self, reason: str) -> None:
        """Make it an untrained trial again, since its files are damaged; the reason comes into its next result.

        Killed in the middle, it is either trained still, and is found damaged once more, or is not and has the reason.
        """
        write_text(self.discarded_path, json.dumps({"reason": reason}) + "\n")
        for path in self.measurement_paths():  # of weights that are no more
            path.unlink(missing_ok=True)
        self.result_path.unlink(missing_ok=True)
        self.checkpoint_path.unlink(missing_ok=True)

    @property
    def discarded(self) -> str | None:
        """Why it was discarded, if it was and has not been trained since."""
        if not self.discarded_path.is_file():
            return None
        try:
            return str(read_json(self.discarded_path)["reason"])
        except (DataError, KeyError, TypeError):
            return f"its files were damaged, as was {self.discarded_path.name}"

    def measurement_path(self, metric: str, measurement_id: str) -> Path:
        """Return the file of one measurement."""
        return self.measurements / f"{metric.replace(':', '.')}-{measurement_id}.parquet"

    def measurement_paths(self) -> list[Path]:
        """Return the files of all finished measurements."""
        return sorted(self.measurements.glob("[!.]*.parquet"))

    def write_config(self, config: TrialConfig) -> None:
        """Write `config.json` if it is not there yet, or damaged: the folder's name says what must stand in it."""
        try:
            self.read_config()
        except DataError:
            write_text(self.config_path, canonical_json(config) + "\n")

    def read_config(self) -> TrialConfig:
        """Return the trial's configuration. Raises DataError if the file is damaged or belongs to another trial."""
        try:
            config = TrialConfig.model_validate_json(self.config_path.read_text(encoding="utf-8"))
        except (OSError, ValidationError, ValueError) as error:
            raise DataError(f"{self.config_path}: cannot be read as a trial: {_line(error)}") from error
        if config.trial_id != self.trial_id:
            raise DataError(f"{self.config_path}: describes trial {config.trial_id}, not {self.trial_id}")
        return config

    def write_result(self, result: TrialResult) -> None:
        """Write `result.json`, which ends the training of this trial."""
        write_text(self.result_path, canonical_json(result) + "\n")

    def read_result(self) -> TrialResult:
        """Return what training left behind.

        Raises:
            DamagedResult: the file is damaged.
            DataError: it is not there or may not be read, which says nothing about what is in it.
        """
        problem = f"{self.result_path}: cannot be read as a result"
        try:
            return TrialResult.model_validate_json(self.result_path.read_text(encoding="utf-8"))
        except OSError as error:
            raise DataError(f"{problem}: {_line(error)}") from error
        except (ValidationError, ValueError) as error:
            raise DamagedResult(f"{problem}: {_line(error)}") from error

    @contextmanager
    def locked(self, give_up: Callable[[], bool] = lambda: False) -> Iterator[bool]:
        """Hold this trial, and say whether it is held: a straggler of a killed sweep, or a second sweep, waits.

        Who holds it removes what a killed process left half written.

        Args:
            give_up: asked while the trial is held elsewhere; when true, the waiting ends without the lock.
        """
        # A file beside the trials' folders, since not every shared file system locks folders.
        with hold(self.path.parent / ".locks" / self.trial_id, give_up=give_up) as is_held:
            if is_held:
                for leftover in (*self.path.glob(".*.tmp"), *self.measurements.glob(".*.tmp")):
                    leftover.unlink(missing_ok=True)
            yield is_held


class Runs:
    """The run folder: a folder a trial, `studies/` with each group's proposals, `sweeps/` with what was asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.studies = self.root / "studies"
        self.sweeps = self.root / "sweeps"
        self.scratch = self.root / ".tune"

    def trial(self, trial_id: str) -> TrialFolder:
        """Return the folder of a trial, which need not exist yet.

        Raises:
            DataError: it is a link, by which files elsewhere would be replaced or removed.
        """
        folder = TrialFolder(self.root / trial_id)
        for path in (folder.path, folder.measurements):
            if path.is_symlink():
                raise DataError(f"{path} is a link; a trial's files lie in the run folder itself")
        return folder

    def trials(self) -> list[TrialFolder]:
        """Return the folders of all trained trials."""
        return [TrialFolder(path.parent) for path in sorted(self.root.glob("*-r*/result.json"))]

    def find(self, wanted: str) -> TrialFolder:
        """Return the folder of a trial by its id, or by the beginning of it if no other trial has the same.

        Raises:
            ConfigError: there is no such trial, or more than one.
        """
        known = sorted(path.parent.name for path in self.root.glob("*-r*/config.json"))
        found = [trial_id for trial_id in known if trial_id == wanted] or [
            trial_id for trial_id in known if trial_id.startswith(wanted)
        ]
        if len(found) != 1:
            if found:
                raise ConfigError(f"{len(found)} trials begin with {wanted!r}, give more of it: {', '.join(found[:5])}")
            near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.3) or known[:3]
            there_are = f"{len(known)} trials, such as {', '.join(near)}" if known else "no trials; name another folder"
            raise ConfigError(f"no trial {wanted!r} in {self.root}, which has {there_are}")
        return self.trial(found[0])

    def remove_leftovers(self) -> None:
        """Remove what processes that were killed long ago had half written beside the trials."""
        for path in (*self.studies.glob(".*.tmp"), *self.sweeps.glob(".*.tmp")):
            with suppress(FileNotFoundError):  # another sweep is at it
                if time.time() - path.stat().st_mtime > SECONDS_UNTIL_LEFT_OVER:
                    path.unlink()

    def study_path(self, study_id: str) -> Path:
        """Return the file that records a group's proposals."""
        return self.studies / f"{study_id}.json"

    def sweep_path(self, sweep_id: str) -> Path:
        """Return the file that records a sweep and its trials."""
        return self.sweeps / f"{sweep_id}.json"

    def write_sweep(self, record: SweepRecord) -> None:
        """Write what a sweep asked for, from where it comes into results.db."""
        write_text(self.sweep_path(record.sweep_id), record.model_dump_json() + "\n")

    def read_sweep(self, sweep_id: str) -> SweepRecord:
        """Return what a sweep asked for. Raises DataError if its file is damaged or belongs to another sweep."""
        path = self.sweep_path(sweep_id)
        try:
            record = SweepRecord.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise DataError(f"{path}: cannot be read as a sweep's record: {_line(error)}") from error
        if record.sweep_id != sweep_id:
            raise DataError(f"{path}: describes sweep {record.sweep_id}, not {sweep_id}")
        return record


def _line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return first_line(error)
