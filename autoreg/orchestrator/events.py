"""What happens in a sweep, and what the driver wants done about it: the two alphabets of `Driver.step`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.failure import Failure
from autoreg.orchestrator.jobs import BundleJob, Machine, MeasuringJob
from autoreg.orchestrator.progress.counts import Verbosity
from autoreg.runs.records import TrialResult


@dataclass(frozen=True)
class Event:
    """Something that has happened."""


@dataclass(frozen=True)
class Connected(Event):
    """Workers can be had, on such a machine."""

    machine: Machine


@dataclass(frozen=True)
class WorkerFree(Event):
    """A worker could take a bundle. The answer is `StartBundle`, `Propose`, or nothing."""


@dataclass(frozen=True)
class Proposed(Event):
    """A search has drawn its next hyperparameters, and has written them down; the free worker still waits."""

    study_id: str
    hyperparameters: Mapping[str, Any]


@dataclass(frozen=True)
class TrialFound(Event):
    """A trial of the sweep turns out to be trained, by an earlier run or by another sweep."""

    config: TrialConfig
    result: TrialResult
    is_measured: bool


@dataclass(frozen=True)
class BundleStarted(Event):
    """A process has begun the first trial of a bundle."""

    name: str


@dataclass(frozen=True)
class EpochEnded(Event):
    """A trial of a running bundle has trained another epoch; a loss is None where it was not finite."""

    bundle: str
    trial_id: str
    epoch: int
    loss: float | None
    accuracy: float
    seconds: float


@dataclass(frozen=True)
class Report:
    """What a bundle's process tells the runner, who makes events of it.

    Attributes:
        ended: the trials that it is done with since its last report, and whether each was trained by it.
        epoch: how far the running trial is.
        failure: why the process is about to end.
    """

    ended: dict[str, bool]
    epoch: EpochEnded | None = None
    failure: Failure | None = None


@dataclass(frozen=True)
class TrialEnded(Event):
    """A process is done with a trial.

    Attributes:
        trial_id: the trial.
        result: how it ended; None if it was stopped, and its state is saved.
        is_measured: whether nothing is left to measure.
        was_trained: whether it was trained here; another sweep may have had it in hand.
    """

    trial_id: str
    result: TrialResult | None
    is_measured: bool = False
    was_trained: bool = True


@dataclass(frozen=True)
class BundleEnded(Event):
    """A process is done with a bundle, or gone; `TrialEnded` of trials that have a result came before.

    The first trial of the bundle that has not ended is to blame for a failure.
    """

    name: str
    failure: Failure | None = None


@dataclass(frozen=True)
class MeasuringEnded(Event):
    """A trial is measured, or could not be; if its weights are damaged, it is an untrained one again."""

    trial_id: str
    seconds: float = 0.0
    failure: Failure | None = None
    is_damaged: bool = False


@dataclass(frozen=True)
class StopRequested(Event):
    """The user wants the sweep to stop."""


@dataclass(frozen=True)
class StorageFailed(Event):
    """The run folder cannot be written."""

    why: str


@dataclass(frozen=True)
class BackendLost(Event):
    """No process of the sweep is left; what they had in hand is to be done by others, and is not to blame."""


@dataclass(frozen=True)
class Tick(Event):
    """Some time has passed."""


@dataclass(frozen=True)
class Order:
    """Something that the driver wants done."""


@dataclass(frozen=True)
class Propose(Order):
    """Draw the next hyperparameters of a search, write them down, and answer with `Proposed`."""

    study_id: str


@dataclass(frozen=True)
class StartBundle(Order):
    """Have a process train a bundle."""

    job: BundleJob


@dataclass(frozen=True)
class StartMeasuring(Order):
    """Have a process measure a trial."""

    job: MeasuringJob


@dataclass(frozen=True)
class GiveUp(Order):
    """Write down that a trial has failed, and answer with `TrialEnded`."""

    config: TrialConfig
    failure: Failure


@dataclass(frozen=True)
class Log(Order):
    """Add lines to a trial's log."""

    trial_id: str
    text: str


@dataclass(frozen=True)
class WriteRows(Order):
    """Have a trial's rows in results.db brought up to date by the next commit."""

    trial_id: str


@dataclass(frozen=True)
class Commit(Order):
    """Bring what is written down into results.db, if that can be done now."""


@dataclass(frozen=True)
class Say(Order):
    """Tell the user."""

    text: str
    at: Verbosity = Verbosity.NORMAL


@dataclass(frozen=True)
class StopWorkers(Order):
    """Have running trials save their state after their epoch, and end."""
