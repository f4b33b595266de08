"""A forecast: how long what is left of some sweeps will take, and how much disk, and how good such forecasts were."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autoreg.config.overlap import Asked, asked_by
from autoreg.orchestrator.forecast.calibration import SECONDS, Calibration, calibrate
from autoreg.orchestrator.forecast.curve import middle
from autoreg.orchestrator.forecast.machine import Machine
from autoreg.orchestrator.forecast.subject import Subject
from autoreg.orchestrator.forecast.sweep_forecast import PlannedSweep, SweepForecast
from autoreg.orchestrator.plan import Plan
from autoreg.runs.folder import Runs


@dataclass(frozen=True)
class Hindsight:
    """How good forecasts were: trials that have ended, against what the calibration of today says of them.

    Attributes:
        trials: how many.
        ratio, lowest, highest: seconds that they took over those that were said: geometric mean, and range.
    """

    trials: int
    ratio: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Forecast:
    """What some sweeps will take, one after another.

    Attributes:
        sweeps: each of them.
        hindsight: how good forecasts were, or None if no trial like theirs has ended here.
        slowdown: how many times as long it takes while this machine is as busy with other things as it is now.
        problems: a line for each network of which no step could be trained or measured.
    """

    sweeps: list[SweepForecast]
    hindsight: Hindsight | None
    slowdown: float
    problems: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        """Of all sweeps, or None if nothing tells."""
        found = [sweep.seconds for sweep in self.sweeps]
        known = [seconds for seconds in found if seconds is not None]
        return sum(known) if len(known) == len(found) else None


def forecast(
    plans: Sequence[Plan], runs: Runs, calibration_seconds: float = SECONDS, machine: Machine | None = None
) -> Forecast:
    """Say what sweeps will take on this machine, one after another. Nothing is written.

    Args:
        plans: the checked sweeps.
        runs: the run folder.
        calibration_seconds: about how long real steps are timed; 0 for not at all, so that finished trials alone tell.
        machine: on which they will run; None for this one.
    """
    machine, earlier = machine or Machine.here(), Asked()
    sweeps: list[PlannedSweep] = []
    for plan in plans:
        sweeps.append(PlannedSweep(plan, machine, runs, earlier))
        earlier = earlier | asked_by([plan.sweep])
    subjects = _merged([subject for sweep in sweeps for subject in sweep.subjects()])
    calibration = Calibration()
    if calibration_seconds and subjects:
        at_once = min((machine.cores // subject.where.threads for subject in subjects), default=1)
        is_on_cpu = all(subject.where.device == "cpu" for subject in subjects)
        calibration = calibrate(subjects, max(0, at_once - 1) if is_on_cpu else 0, calibration_seconds)
    found: dict[object, list[float]] = {}
    for sweep in sweeps:
        found |= sweep.ratios(calibration)
    ratios = [ratio for own in found.values() for ratio in own]
    hindsight = Hindsight(len(ratios), middle(ratios), min(ratios), max(ratios)) if ratios else None
    return Forecast(
        [sweep.forecast(calibration) for sweep in sweeps], hindsight, calibration.slowdown, calibration.problems
    )


def _merged(subjects: Sequence[Subject]) -> list[Subject]:
    """Return one subject for each network, width and device, with the batch sizes of all."""
    found: dict[object, Subject] = {}
    for subject in subjects:
        key = subject.training, subject.measuring, subject.config.width
        sizes = found[key].batch_sizes if key in found else frozenset[int]()
        found[key] = replace(subject, batch_sizes=subject.batch_sizes | sizes)
    return list(found.values())
