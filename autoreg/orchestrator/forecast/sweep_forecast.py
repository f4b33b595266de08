"""What one sweep will take: its settings, each with what is left of it, on this machine."""

from collections.abc import Iterator
from dataclasses import dataclass

from autoreg.config.overlap import Asked
from autoreg.datasets import load_dataset
from autoreg.orchestrator.forecast.calibration import Calibration
from autoreg.orchestrator.forecast.costs import Costs, Source
from autoreg.orchestrator.forecast.history import History
from autoreg.orchestrator.forecast.kinds import kind_of
from autoreg.orchestrator.forecast.machine import Machine
from autoreg.orchestrator.forecast.sizes import Size, size_of
from autoreg.orchestrator.forecast.subject import Subject
from autoreg.orchestrator.forecast.timetable import makespan
from autoreg.orchestrator.forecast.work import Setting, settings_of
from autoreg.orchestrator.plan import Plan
from autoreg.runs.folder import Runs

#: Until Ray runs, its workers have imported PyTorch and are in full flow; and until it has stopped.
SECONDS_OF_RAY = 12.0


@dataclass(frozen=True)
class SettingForecast:
    """What one setting will take.

    Attributes:
        setting: the setting, with what is left of it.
        size: of its network.
        epoch_seconds: of an epoch, at the mean of its possible batch sizes; None if nothing tells.
        source: what tells it.
        seconds: of all its trials that are left, one after another, measuring included; None if nothing tells.
        disk_bytes: of all its trials that are left.
    """

    setting: Setting
    size: Size
    epoch_seconds: float | None
    source: Source | None
    seconds: float | None
    disk_bytes: int


@dataclass(frozen=True)
class SweepForecast:
    """What one sweep will take.

    Attributes:
        plan: the sweep.
        settings: of each setting, in the order in which they run.
        seconds: from its start to its end; 0 if nothing is left, None if nothing tells.
        at_most: whether trials may end before their last epoch.
        at_once: how many of its trials run at the same time, at most.
        disk_bytes: of what it adds to the run folder.
        is_measuring_known: whether they are with the measurements, of which nothing tells otherwise.
        peak_bytes: beside that, of the states of running trials.
    """

    plan: Plan
    settings: list[SettingForecast]
    seconds: float | None
    at_most: bool
    at_once: int
    disk_bytes: int
    is_measuring_known: bool
    peak_bytes: int


class PlannedSweep:
    """A sweep before it runs.

    Args:
        plan: the checked sweep.
        machine: on which it will run.
        runs: the run folder.
        earlier: what sweeps before it will have done.
    """

    def __init__(self, plan: Plan, machine: Machine, runs: Runs, earlier: Asked) -> None:
        self.plan, self._machine = plan, machine
        self.settings = settings_of(plan, runs, earlier)
        self._histories = self._read_histories(runs)
        self._sizes: dict[str, Size] = {}
        self._subjects = {id(setting): self._subject(setting) for setting in self.settings}

    def _read_histories(self, runs: Runs) -> dict[str, History]:
        """Return what has ended on each kind of device that the sweep will run on."""
        planned = [config for setting in self.settings for ended in setting.done.values() for config in ended]
        templates = [setting.group.template for setting in self.settings]
        kinds = {kind_of(template) for template in templates}
        wheres = {self._machine.where(self.plan.sweep.resources, template.width) for template in templates}
        histories = {}
        for where in wheres:
            histories[where.device] = History(self._machine.device_name(where), where.threads)
            histories[where.device].read(runs, planned, kinds, self.plan.measurements)
        return histories

    def _subject(self, setting: Setting) -> Subject:
        template = setting.group.template
        where = self._machine.where(self.plan.sweep.resources, template.width)
        dataset = load_dataset(template, self.plan.root, where.device)
        size = size_of(template, dataset.input_shape, dataset.classes)
        self._sizes[template.config_id] = size
        like = kind_of(template), template.width
        sizes = {place.batch_size for place in self._histories[where.device].epochs() if place[:2] == like}
        return Subject(
            where=where,
            config=template,
            dataset=dataset,
            flops=size.forward_flops or setting.parameters,
            batch_sizes=frozenset(sizes | setting.batch_sizes()),
            measurements=tuple(self.plan.measurements),
        )

    def subjects(self) -> Iterator[Subject]:
        """Yield what is to be timed: done settings too, which tell how good forecasts are; not those without trials."""
        yield from (subject for subject in self._subjects.values() if subject.batch_sizes)

    def _costs(self, setting: Setting, calibration: Calibration) -> Costs:
        subject = self._subjects[id(setting)]
        history = self._histories[subject.where.device]
        return Costs(setting, self._sizes[setting.group.template.config_id], subject, history, calibration)

    def ratios(self, calibration: Calibration) -> dict[object, list[float]]:
        """Return, of trials that have ended, the seconds that they took over those that the calibration says."""
        ratios: dict[object, list[float]] = {}
        for subject in self.subjects():
            for place, took in self._histories[subject.where.device].epochs().items():
                if place == subject.place(place.batch_size):
                    said = calibration.epoch_seconds(subject, place.batch_size)
                    ratios[subject.where, place] = [seconds / said for seconds in took] if said else []
        return ratios

    def forecast(self, calibration: Calibration) -> SweepForecast:
        """Return what the sweep will take."""
        resources = self.plan.sweep.resources
        settings, jobs, peak, most, is_measuring_known = [], [], 0, 0, True
        for setting in self.settings:
            costs = self._costs(setting, calibration)
            share = self._machine.share(resources, setting.group.template.width)
            at_once = int(1 / share + 1e-9)
            jobs.append(job := costs.job(share))
            seconds = None if job is None else sum([*job.tuning, *(one for chain in job.finals for one in chain)])
            epoch = costs.epoch_seconds(tuple(setting.batch_sizes()))
            settings.append(SettingForecast(setting, costs.size, epoch, costs.source, seconds, costs.disk_bytes))
            is_measuring_known &= costs.is_measuring_known
            peak, most = max(peak, costs.state_bytes(at_once)), max(most, at_once)
        known = [job for job in jobs if job is not None]
        spent = makespan(known) if len(known) == len(jobs) else None
        return SweepForecast(
            plan=self.plan,
            settings=settings,
            seconds=spent and spent + SECONDS_OF_RAY,
            at_most=any(map(_may_end_early, self.settings)),
            at_once=most,
            disk_bytes=sum(one.disk_bytes for one in settings),
            is_measuring_known=is_measuring_known,
            peak_bytes=peak,
        )


def _may_end_early(setting: Setting) -> bool:
    """Whether one of the trials that are left may end before its last epoch."""
    tune = setting.group.tune
    is_pruned = tune and tune.pruning != "none" and len(setting.tuning) > 0
    return bool(is_pruned or (setting.finals and setting.group.template.patience is not None))
