"""Sweeps and trained networks for Python and notebooks."""

import os
from dataclasses import dataclass
from pathlib import Path

from autoreg.config import TrialConfig
from autoreg.datasets import Dataset, build_dataset
from autoreg.listing import find_trial
from autoreg.networks import Network
from autoreg.packaged import find_sweep
from autoreg.progress import describe
from autoreg.records import TrialResult
from autoreg.runs import Runs
from autoreg.sweep_file import LoadedSweep
from autoreg.sweep_file import load_sweep as _load_file
from autoreg.training import load_network
from autoreg.tuning.ledger import Summary
from autoreg.tuning.plan import Plan, check_resources, make_plan
from autoreg.tuning.run import run_sweep


def load_sweep(name: str | os.PathLike[str], *overrides: str) -> LoadedSweep:
    """Return a sweep, read and checked: `plan` says what it costs, `run` runs it.

    Args:
        name: a YAML file, or the name of a packaged sweep: `quickstart`.
        overrides: `key=value` texts as the command line's `--set` takes them: `training.epochs=3`.

    Raises:
        ConfigError: there is no such sweep, or a key breaks a rule; it names file, line, key and what is allowed.
    """
    return _load_file(find_sweep(str(name)), overrides)


def plan(sweep: LoadedSweep | str | os.PathLike[str]) -> Plan:
    """Return a sweep that can run: every name known, every option valid, its data there, its parameters counted.

    Raises:
        ConfigError: a network, dataset, option, … is unknown or does not fit.
        DataError: its data is missing or damaged.
    """
    loaded = sweep if isinstance(sweep, LoadedSweep) else load_sweep(sweep)
    return make_plan(loaded)


def run(
    sweep: Plan | LoadedSweep | str | os.PathLike[str],
    *,
    database: str | os.PathLike[str] = "results.db",
    runs: str | os.PathLike[str] = "runs",
    address: str | None = None,
    retry_failed: bool = False,
) -> Summary:
    """Train and measure what is not done yet of a sweep, as `autoreg sweep` does, and say how it ended.

    Args:
        sweep: a plan, a loaded sweep, or what `load_sweep` takes.
        database: results.db, made if it is not there.
        runs: the run folder.
        address: a Ray cluster to join; None starts Ray on this machine.
        retry_failed: train failed trials of this sweep again.

    Raises:
        ConfigError, DataError, DatabaseError: see `load_sweep`, `plan` and `autoreg.tuning.run.run_sweep`.
    """
    if not isinstance(sweep, Plan):
        loaded = sweep if isinstance(sweep, LoadedSweep) else load_sweep(sweep)
        if not address:
            check_resources(loaded)
        sweep = make_plan(loaded)
    return run_sweep(sweep, Runs(Path(runs)), Path(database), address, retry_failed)


@dataclass(frozen=True)
class Trial:
    """A trained trial.

    Attributes:
        config: all that decides how it was trained.
        result: how its training ended.
        network: with its trained weights, in evaluation mode, on the CPU.
        dataset: what it was trained on; `dataset.batches("test")` gives (inputs, labels) as the network takes them.
    """

    config: TrialConfig
    result: TrialResult
    network: Network
    dataset: Dataset

    def __repr__(self) -> str:
        accuracy = self.result.test_accuracy
        ending = self.result.status if accuracy is None else f"test accuracy {accuracy:.1%}"
        layers = ", ".join(f"{layer.layer} {layer.units}" for layer in self.result.layers)
        return f"<trial {self.config.trial_id}: {describe(self.config)}, {ending}; units: {layers or 'not counted'}>"


def load_trial(
    trial: str, *, runs: str | os.PathLike[str] = "runs", data: str | os.PathLike[str] | None = None
) -> Trial:
    """Return a trained trial of a run folder.

    Args:
        trial: its id, or the beginning of it if no other trial has the same.
        runs: the run folder.
        data: the folder that holds data; None for AUTOREG_DATA.

    Raises:
        ConfigError: there is no such trial, or more than one.
        DataError: it has no result yet, or its checkpoint or its data is missing or damaged.
    """
    folder = find_trial(Runs(Path(runs)), trial)
    config, result = folder.read_config(), folder.read_result()
    dataset = build_dataset(config, Path(data) if data is not None else None)
    return Trial(config, result, load_network(config, folder, dataset), dataset)
