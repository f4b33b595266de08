"""The run folder: every path, atomic writes, and the answer to "is it done?"."""

import difflib
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from autoreg.config.trial import TrialConfig, canonical_json
from autoreg.errors import ConfigError, DataError, first_line, is_utf8, shown
from autoreg.files import hold, is_held, read_json, write_text
from autoreg.runs.records import DamagedResult, SweepRecord, TrialResult

Record = TypeVar("Record", bound=BaseModel)

#: Nobody takes so long to write a file.
SECONDS_UNTIL_LEFT_OVER = 3600.0


class _File:
    """A path in a trial's folder, by its name there."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, folder: "TrialFolder", _: type["TrialFolder"]) -> Path:
        return folder.path / self.name


class TrialFolder:
    """The folder of one trial.

    A trial is trained once `result.json` is there, and measured once the measurement's file is.
    """

    config_path = _File("config.json")  # what the trial is
    result_path = _File("result.json")  # how its training ended
    checkpoint_path = _File("checkpoint.pt")  # the trained network's weights
    resume_path = _File("resume.pt")  # the last state saved in training; stays until a longer trial that needs it ends
    previous_resume_path = _File("resume.previous.pt")  # the one before, in case the last is damaged
    discarded_path = _File("discarded.json")  # why it is to be trained again
    log_path = _File("log.txt")  # what happened to it, for people; never read
    measurements = _File("measurements")  # a file for each measurement

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trial_id = path.name
        # A file beside the trials' folders, since not every shared file system locks folders.
        self._lock = path.parent / ".locks" / path.name

    @property
    def is_trained(self) -> bool:
        """Whether training has ended, in whichever way."""
        return self.result_path.is_file()

    def delete_resume_state(self) -> None:
        """Remove what training kept for its next start."""
        for path in (self.resume_path, self.previous_resume_path, self.discarded_path):
            path.unlink(missing_ok=True)

    def discard(self, reason: str) -> None:
        """Make it an untrained trial again, since its files are damaged; the reason comes into its next result.

        Killed in the middle, it is either trained still, and is found damaged once more, or is not and has the reason.
        """
        write_text(self.discarded_path, json.dumps({"reason": reason}) + "\n")
        for path in (*self.measurement_paths(), self.result_path, self.checkpoint_path):
            path.unlink(missing_ok=True)

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
        config = _read(self.config_path, TrialConfig, "a trial")
        if config.trial_id != self.trial_id:
            raise DataError(f"{self.config_path}: describes trial {config.trial_id}, not {self.trial_id}")
        return config

    def write_result(self, result: TrialResult) -> None:
        """Write `result.json`, which ends the training of this trial."""
        write_text(self.result_path, canonical_json(result.sealed(self.trial_id)) + "\n")

    def read_result(self) -> TrialResult:
        """Return what training left behind.

        Raises:
            DamagedResult: the file is damaged, or of another trial.
            DataError: it is not there or may not be read, which says nothing about what is in it.
        """
        return _read(self.result_path, TrialResult, "a result", DamagedResult, trial_id=self.trial_id)

    @property
    def is_held(self) -> bool:
        """Whether a process trains or measures it."""
        try:
            return is_held(self._lock)
        except FileNotFoundError:
            return False

    @contextmanager
    def locked(self, give_up: Callable[[], bool] = lambda: False) -> Iterator[bool]:
        """Hold this trial, and say whether it is held: an orphan of a killed sweep, or a second sweep, waits.

        Who holds it removes what a killed process left half written.

        Args:
            give_up: asked while the trial is held elsewhere; when true, the waiting ends without the lock.
        """
        with hold(self._lock, give_up=give_up) as is_held:
            if is_held:
                for leftover in (*self.path.glob(".*.tmp"), *self.measurements.glob(".*.tmp")):
                    leftover.unlink(missing_ok=True)
            yield is_held


def _own(name: str) -> str:
    """Return an id as it is. Raises DataError if it leads elsewhere: it may be out of a stranger's file."""
    if not re.fullmatch(r"[\w-]+", name):
        raise DataError(f"an id has letters, digits, _ and -, got {shown(name)}")
    return name


class Runs:
    """The run folder: a folder a trial, `studies/` with each group's proposals, `sweeps/` with what was asked for.

    Raises:
        ConfigError: its path is not UTF-8, which Ray and records of trials want.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        if not is_utf8(str(self.root)):
            raise ConfigError(f"the path of the run folder is UTF-8, got {str(self.root)!r}")
        self.studies = self.root / "studies"
        self.sweeps = self.root / "sweeps"
        self.scratch = self.root / ".tune"

    def trial(self, trial_id: str) -> TrialFolder:
        """Return the folder of a trial, which need not exist yet.

        Raises:
            DataError: it is a link or no trial's id, by which files elsewhere would be replaced or removed.
        """
        folder = TrialFolder(self.root / _own(trial_id))
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
        matches = [wanted] if wanted in known else [trial_id for trial_id in known if trial_id.startswith(wanted)]
        if len(matches) > 1:
            raise ConfigError(f"{len(matches)} trials begin with {wanted!r}, give more of it: {', '.join(matches[:5])}")
        if not matches:
            near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.3) or known[:3]
            there_are = (
                f"{len(known)} trial{'s' * (len(known) > 1)}, such as {', '.join(near)}"
                if known
                else "no trials; name another folder"
            )
            raise ConfigError(f"no trial {wanted!r} in {self.root}, which has {there_are}")
        return self.trial(matches[0])

    def remove_temporary_files(self) -> None:
        """Remove what processes that were killed long ago had half written beside the trials."""
        for path in (*self.studies.glob(".*.tmp"), *self.sweeps.glob(".*.tmp")):
            with suppress(FileNotFoundError):  # another sweep is at it
                if time.time() - path.stat().st_mtime > SECONDS_UNTIL_LEFT_OVER:
                    path.unlink()

    def study_path(self, study_id: str) -> Path:
        """Return the file that records a group's proposals."""
        return self.studies / f"{_own(study_id)}.json"

    def sweep_path(self, sweep_id: str) -> Path:
        """Return the file that records a sweep and its trials."""
        return self.sweeps / f"{sweep_id}.json"

    def write_sweep(self, record: SweepRecord) -> None:
        """Write what a sweep asked for, from where it comes into results.db."""
        write_text(self.sweep_path(record.sweep_id), record.model_dump_json() + "\n")

    def read_sweep(self, sweep_id: str) -> SweepRecord:
        """Return what a sweep asked for. Raises DataError if its file is damaged or belongs to another sweep."""
        path = self.sweep_path(sweep_id)
        record = _read(path, SweepRecord, "a sweep's record")
        if record.sweep_id != sweep_id:
            raise DataError(f"{path}: describes sweep {record.sweep_id}, not {sweep_id}")
        return record


def _read(path: Path, model: type[Record], name: str, damage: type[DataError] = DataError, **context: str) -> Record:
    """Return a record. Raises DataError if its file cannot be read, `damage` if it is not what was written."""
    try:
        return model.model_validate_json(path.read_bytes(), context=context)
    except OSError as error:
        raise DataError(f"{path}: cannot be read as {name}: {first_line(error)}") from error
    except ValidationError as error:
        first = error.errors()[0]
        reason = ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, "))))
        raise damage(f"{path}: cannot be read as {name}: {reason}") from error
