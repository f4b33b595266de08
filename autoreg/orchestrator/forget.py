"""Taking a sweep's trials out of the run folder, so that they can be trained anew."""

import shutil
from contextlib import suppress
from dataclasses import dataclass

from autoreg.errors import ConfigError, DataError, did_you_mean
from autoreg.orchestrator.progress.live_file import running_sweeps
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.records import SweepRecord


@dataclass(frozen=True)
class Forgettable:
    """What the run folder has of a sweep.

    Attributes:
        records: of all sweeps of that name.
        folders: their trials that are there.
        others: the names of the sweeps that some of these trials belong to as well.
    """

    records: list[SweepRecord]
    folders: list[TrialFolder]
    others: list[str]


def find_sweep(runs: Runs, name: str) -> Forgettable:
    """Return what a run folder has of the sweeps of a name.

    Raises:
        ConfigError: there is none.
        DataError: a sweep's record cannot be read.
    """
    records = [runs.read_sweep(path.stem) for path in sorted(runs.sweeps.glob("[!.]*.json"))]
    chosen = [record for record in records if record.name == name]
    if not chosen:
        raise ConfigError(f"no sweep {name!r} in {runs.root}{did_you_mean(name, {each.name for each in records})}")
    ids = {trial.trial_id for record in chosen for trial in record.sweep_trials}
    others = {
        record.name
        for record in records
        if record.name != name and any(trial.trial_id in ids for trial in record.sweep_trials)
    }
    folders = [folder for trial_id in sorted(ids) if (folder := runs.trial(trial_id)).path.is_dir()]
    return Forgettable(chosen, folders, sorted(others))


def forget(runs: Runs, found: Forgettable) -> None:
    """Remove trials, what their searches proposed, and the records of their sweeps.

    Raises:
        ConfigError: a sweep runs on the run folder, or a process is at one of the trials.
    """
    if running := running_sweeps(runs):
        raise ConfigError(f"{running[0].name} runs on {runs.root} in process {running[0].process}; stop it first")
    if held := [folder.trial_id for folder in found.folders if folder.is_held]:
        raise ConfigError(f"a process trains or measures {held[0]} in {runs.root}; stop it first")
    for folder in found.folders:
        config = None
        with suppress(DataError):  # damaged: its search stays, and proposes the same again
            config = folder.read_config()
        folder.result_path.unlink(missing_ok=True)  # first: what is removed in part is a trial that is not trained
        if config and config.study:
            runs.study_path(config.study).unlink(missing_ok=True)
        shutil.rmtree(folder.path)
    for record in found.records:
        runs.sweep_path(record.sweep_id).unlink()
