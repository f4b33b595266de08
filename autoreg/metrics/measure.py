"""Measuring: a trained trial's metrics, written into its run folder."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from autoreg.config.trial import canonical_json, measurement_id
from autoreg.metrics import metrics
from autoreg.metrics.finite import finite_activations
from autoreg.metrics.metric import is_from_initial, revision_of, version_of
from autoreg.runs.folder import TrialFolder
from autoreg.runs.measurements import write_measurement
from autoreg.runs.records import Layer
from autoreg.training.initial import initial_network
from autoreg.training.loop import load_network
from autoreg.training.precision import precision_of
from autoreg.training.trained import load_trained


@dataclass(frozen=True)
class Measurement:
    """One metric with its options on one split."""

    metric: str
    version: int
    split: str
    options: Mapping[str, Any]

    @property
    def measurement_id(self) -> str:
        """The id under which its file and its rows are found."""
        return measurement_id(self.metric, self.version, self.split, self.options)

    @property
    def is_own(self) -> bool:
        """Whether the metric is one of the user's own."""
        return ":" in self.metric

    @property
    def versions(self) -> list["Measurement"]:
        """This measurement of a network that the metric's revision leaves alone and, if there is one, of the others."""
        revised = [replace(self, version=self.version + 1)] if revision_of(self.metric) else []
        return [self, *revised]

    def of(self, layers: Sequence[Layer]) -> "Measurement":
        """Return this measurement of a network with these layers."""
        revised = revision_of(self.metric)
        return self.versions[1] if revised and revised(layers, **self.options) else self

    def path(self, folder: TrialFolder) -> Path:
        """Return the file that holds its rows for a trial."""
        return folder.measurement_path(self.metric, self.measurement_id)


def measurements_of(metric: str, options: Mapping[str, Any], splits: Sequence[str]) -> list[Measurement]:
    """Return one metric's measurements, one for each split. Raises ConfigError for an unknown metric or option."""
    checked = metrics.check_options(metric, options)
    return [Measurement(metric, version_of(metric), split, checked) for split in splits]


def is_measured(folder: TrialFolder, layers: Sequence[Layer], wanted: Iterable[Measurement]) -> bool:
    """Whether a trial whose network has these layers has every measurement that is wanted."""
    return all(measurement.of(layers).path(folder).is_file() for measurement in wanted)


def measure_trial(
    folder: TrialFolder,
    wanted: list[Measurement],
    root: Path | None = None,
    device: str = "cpu",
    *,
    on_measured: Callable[[Measurement, int, float], object] = lambda *_: None,
) -> int:
    """Measure a trained trial and return how many measurements were missing and are now there.

    Args:
        folder: its run folder; the caller holds its lock.
        wanted: what is measured.
        root: the folder that holds data, or None for AUTOREG_DATA.
        device: `cpu` or `cuda`.
        on_measured: called after each measurement, with it, its number of rows and the seconds that it took.

    Raises:
        DataError: the checkpoint or the data is missing or damaged, the network is not the one that was trained, its
            initial weights are wanted and cannot be drawn again, or activations are not finite.
    """
    result = folder.read_result()
    own = [measurement.of(result.layers) for measurement in wanted]
    missing = [measurement for measurement in own if not measurement.path(folder).is_file()]
    if not missing:
        return 0
    config, result, dataset, network = load_trained(folder, root, device)
    if any(is_from_initial(measurement.metric) for measurement in missing):
        network.remember(initial_network(config, dataset, result))
    for measurement in missing:
        started, function = time.perf_counter(), metrics[measurement.metric]
        # A metric of the user's may change its network: it has one of its own.
        given = load_network(config, folder, dataset) if measurement.is_own else network
        with precision_of("float32", dataset.test.labels.device), finite_activations(given, measurement.split):
            frame = function(given, dataset, measurement.split, config.replicate, **measurement.options)
        facts = {
            "metric": measurement.metric,
            "version": str(measurement.version),
            "split": measurement.split,
            "options": canonical_json(dict(measurement.options)),
        }
        labelled = frame.select(pl.lit(measurement.split).alias("split"), pl.all())
        write_measurement(measurement.path(folder), labelled, facts)
        on_measured(measurement, frame.height, time.perf_counter() - started)
    return len(missing)
