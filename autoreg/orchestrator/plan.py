"""A checked sweep: every name known, every option valid, the data there, and what it will cost."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

from autoreg.config.group import Group, setting_labels
from autoreg.config.sections import Variant
from autoreg.config.sweep import Sweep
from autoreg.config.sweep_file import LoadedSweep
from autoreg.config.trial import Choice, Strict, TrialConfig
from autoreg.database.ingest import require_own_tables
from autoreg.datasets import check_dataset, data_root, datasets, drawn_dataset, load_dataset
from autoreg.errors import ConfigError
from autoreg.metrics.measure import Measurement, measurements_of
from autoreg.networks import networks, trainable_parameters, unallocated_network
from autoreg.networks.initializers import initializers
from autoreg.networks.revision import is_revised
from autoreg.networks.richness import check_richness
from autoreg.orchestrator.resume import load_schedule
from autoreg.orchestrator.schedule import Schedule
from autoreg.packaged import expand_figure
from autoreg.registry import Registry
from autoreg.runs.folder import Runs
from autoreg.runs.records import SweepGroup, SweepMeasurement, SweepRecord, SweepTrial
from autoreg.training.optimizers import check_optimizer, optimizers, schedules

#: A sweep of more trials than this is run only if the user says so.
MANY_TRIALS = 10_000
#: So many settings of a plan stand in its `repr`.
SETTINGS_SHOWN = 12


@dataclass(frozen=True)
class Plan:
    """A sweep that can run.

    Attributes:
        sweep: with every option that repeats a default left out.
        root: the folder that holds data (`dataset.root`, else AUTOREG_DATA), or None.
        measurements: what is measured of each final trial.
        data: the fingerprints of each dataset (`Dataset.fingerprints`), those of other replicates once they are asked
            for.
        groups: each group with the number of trainable parameters of its network, the largest first, since those
            take longest.
    """

    sweep: Sweep
    root: Path | None
    measurements: list[Measurement]
    groups: list[tuple[Group, int]]
    data: dict[Choice, tuple[str, ...]]

    def __repr__(self) -> str:
        counts = f"{self.sweep.final_count} final and {self.sweep.tuning_count} tuning trials"
        labels = setting_labels([group for group, _ in self.groups])
        shown = [
            f"  {label}: {parameters:,} parameters"
            for label, (_, parameters) in list(zip(labels, self.groups, strict=True))[:SETTINGS_SHOWN]
        ]
        if rest := len(labels) - len(shown):
            shown.append(f"  … and {rest} more")
        return "\n".join([f"<plan of {self.sweep.name}: {counts}, {len(labels)} settings>", *shown])

    @property
    def counts_text(self) -> str:
        """How many trials it has, in words."""
        return f"{self.sweep.final_count} final trials, {self.sweep.tuning_count} tuning trials"

    def fingerprints(self, config: TrialConfig) -> tuple[str, ...]:
        """Return the fingerprints of the data that a trial of this plan has. Raises DataError if it is missing."""
        dataset = drawn_dataset(config)
        if dataset not in self.data:
            self.data[dataset] = load_dataset(config, self.root).fingerprints
        return self.data[dataset]

    def schedule(self, runs: Runs) -> Schedule:
        """Return the schedule as a run folder stands. Raises DataError if a trial's result is damaged."""
        return load_schedule([group for group, _ in self.groups], runs)

    def record(self, trials: Iterable[tuple[str, TrialConfig]]) -> SweepRecord:
        """Return what the run folder keeps of the sweep: what it asks for, and the trials that it has so far."""
        return SweepRecord(
            sweep_id=self.sweep.sweep_id,
            name=self.sweep.name,
            figures=self.sweep.figures,
            definition=self.sweep.model_dump(mode="json"),
            updated_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            sweep_groups=[
                SweepGroup(
                    group_id=group.template.config_id,
                    variant=variant,
                    network=str(group.template.network),
                    dataset=str(group.template.dataset),
                    width=group.template.width,
                    epochs=group.lengths[-1],
                    parameters=parameters,
                )
                for group, parameters in self.groups
                for variant in group.variants
            ],
            sweep_trials=[
                SweepTrial(trial_id=config.trial_id, group_id=group_id, kind=config.kind) for group_id, config in trials
            ],
            sweep_measurements=[
                SweepMeasurement(metric=asked.metric, split=asked.split, measurement_id=asked.measurement_id)
                for measurement in self.measurements
                for asked in measurement.versions
            ],
        )


def make_plan(loaded: LoadedSweep) -> Plan:
    """Check a sweep against everything that is registered, and return what it will do.

    Raises:
        ConfigError: an unknown name or option, a width that leaves no unit, …, with the file and line where it stands.
        DataError: the dataset is missing or damaged.
    """
    sweep = checked_sweep(loaded)
    measurements = []
    with _located(loaded, ("measure", "metrics")):
        require_own_tables(name for name in sweep.measure.metrics if ":" in name)
    for name, options in sweep.measure.metrics.items():
        with _located(loaded, ("measure", "metrics", name)):
            measurements += measurements_of(name, options, sweep.measure.splits)
    measurements.sort(key=lambda measurement: measurement.is_own)  # the user's own code may change what comes after it
    parameters: list[int] = []
    revised: defaultdict[Choice, list[float]] = defaultdict(list)
    with _located(loaded, ("grid",)):
        settings = sweep.groups()
    data: dict[Choice, tuple[str, ...]] = {}
    for group in settings:
        with _located(loaded, ("dataset",)):
            dataset = load_dataset(group.template, loaded.root)
        data[drawn_dataset(group.template)] = dataset.fingerprints
        with _located(loaded, ("training",)):
            for variant in _batch_variants(group):
                check_dataset(variant, dataset)
        with _located(loaded, ("grid", "parametrization")):
            check_optimizer(group.template)
        with _located(loaded, ("grid", "width")):
            network = unallocated_network(group.template, dataset.input_shape, dataset.classes)
            check_richness(group.template, network)
            if is_revised(network, group.template, dataset.input_shape, dataset.classes):
                revised[group.template.network].append(group.template.width)
        parameters.append(trainable_parameters(network))
    sweep = sweep.with_revised(revised)
    groups = sorted(zip(sweep.groups(), parameters, strict=True), key=lambda pair: -pair[1])
    return Plan(sweep, data_root(loaded.root), measurements, groups, data)


def check_resources(loaded: LoadedSweep) -> None:
    """Raise ConfigError if a trial is to have more of this machine than there is."""
    cores, wanted = os.cpu_count() or 1, loaded.sweep.resources.cpus
    if wanted > cores:
        where = loaded.document.where(("resources", "cpus"))
        raise ConfigError(f"{where}: resources.cpus: this machine has {cores}, got {wanted}")


def check_size(loaded: LoadedSweep) -> None:
    """Raise ConfigError if the sweep is so large that it may be a mistake."""
    source, size = loaded.document.source, loaded.sweep.size
    if size > MANY_TRIALS:
        raise ConfigError(f"{source}: the sweep asks for {size:,} trials; --yes runs more than {MANY_TRIALS:,}")


def _batch_variants(group: Group) -> Iterator[TrialConfig]:
    """Yield the group's trial at every batch size that it may come to."""
    space = group.tune.space.batch_size if group.tune else None
    for size, factor in product(space or [group.template.batch_size], group.factors):
        yield group.template.model_copy(update={"batch_size": size, "lr_batch_factor": factor}).with_exact_batch()


def checked_sweep(loaded: LoadedSweep) -> Sweep:
    """Return the sweep with every choice checked; its variants name every choice, and what differs in sections.

    Its data need not be there. Raises ConfigError for a figure, a name or an option that does not exist.
    """
    figures = []
    for index, figure in enumerate(loaded.sweep.figures):
        with _located(loaded, ("figures", index)):
            figures += expand_figure(figure)
    sweep = loaded.sweep.model_copy(update={"figures": list(dict.fromkeys(figures))})
    own = _checked_part(loaded, sweep, ())
    if sweep.variants is None:
        return own
    variants = []
    for index, (name, part) in enumerate(sweep.parts()):
        checked = _checked_part(loaded, part, ("variants", index))
        grid, training = _changes(own.grid, checked.grid), _changes(own.training, checked.training)
        choices: dict[str, Any] = {key: getattr(checked, key) for key in ("network", "dataset", "initializer")}
        choices["tune"] = checked.tune or (False if sweep.tune else None)
        variants.append(Variant(name=str(name), **choices, grid=grid, training=training))
    return own.model_copy(update={"variants": variants})


def _changes(section: Strict, changed: Strict) -> dict[str, Any]:
    """Return what differs, so that a key which a later version adds does not give a sweep another id."""
    before = section.model_dump(mode="json")
    return {key: value for key, value in changed.model_dump(mode="json").items() if value != before[key]}


def _checked_part(loaded: LoadedSweep, sweep: Sweep, where: tuple[str | int, ...]) -> Sweep:
    def checked(registry: Registry[Any], choice: Choice, *path: str | int) -> Choice:
        with _located(loaded, (*where, *path)):
            options = registry.check_options(choice.name, choice.options)
            return Choice(name=choice.name, options=options, source=registry.source(choice.name))

    grid = {
        axis: [checked(registry, choice, "grid", axis, index) for index, choice in enumerate(choices)]
        for axis, registry in (("initializer", initializers), ("optimizer", optimizers))
        if (choices := getattr(sweep.grid, axis))
    }
    training = {
        "optimizer": checked(optimizers, sweep.training.optimizer, "training", "optimizer"),
        "schedule": checked(schedules, sweep.training.schedule, "training", "schedule"),
    }
    return sweep.model_copy(
        update={
            "network": checked(networks, sweep.network, "network"),
            "dataset": checked(datasets, sweep.dataset, "dataset"),
            "initializer": checked(initializers, sweep.initializer, "initializer"),
            "grid": sweep.grid.model_copy(update=grid),
            "training": sweep.training.model_copy(update=training),
        }
    )


@contextmanager
def _located(loaded: LoadedSweep, path: tuple[str | int, ...]) -> Iterator[None]:
    """Put the file and line of a key in front of an error that names none."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{loaded.document.where(path)}: {'.'.join(map(str, path))}: {error}") from error
