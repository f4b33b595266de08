"""Measuring: a trained trial's metrics, written into its run folder."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from autoreg.config.trial import canonical_json, measurement_id
from autoreg.datasets import build_dataset
from autoreg.errors import DataError
from autoreg.files import write_atomically
from autoreg.metrics import metrics
from autoreg.metrics.metric import version_of
from autoreg.runs.folder import TrialFolder
from autoreg.runs.records import TrialResult
from autoreg.training.loop import load_network
from autoreg.training.precision import precision_of
from autoreg.training.reference import check_network


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

    def path(self, folder: TrialFolder) -> Path:
        """Return the file that holds its rows for a trial."""
        return folder.measurement_path(self.metric, self.measurement_id)


def measurements_of(metric: str, options: Mapping[str, Any], splits: Sequence[str]) -> list[Measurement]:
    """Return one metric's measurements, one for each split. Raises ConfigError for an unknown metric or option."""
    checked = metrics.check_options(metric, options)
    return [Measurement(metric, version_of(metric), split, checked) for split in splits]


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
        DataError: the checkpoint or the data is missing or damaged, or the network is not the one that was trained.
    """
    missing = [measurement for measurement in wanted if not measurement.path(folder).is_file()]
    if not missing:
        return 0
    config = folder.read_config()
    dataset = build_dataset(config, root, device)
    result = folder.read_result()
    check_data(folder, result, dataset.fingerprint)
    network = load_network(config, folder, dataset)
    check_network(network, dataset, result)
    for measurement in missing:
        started, function = time.perf_counter(), metrics[measurement.metric]
        with precision_of("float32", dataset.test.labels.device):
            frame = function(network, dataset, measurement.split, config.replicate, **measurement.options)
        facts = {
            "metric": measurement.metric,
            "version": str(measurement.version),
            "split": measurement.split,
            "options": canonical_json(dict(measurement.options)),
        }
        labelled = frame.select(pl.lit(measurement.split).alias("split"), pl.all())
        write_atomically(measurement.path(folder), partial(labelled.write_parquet, compression="zstd", metadata=facts))
        on_measured(measurement, frame.height, time.perf_counter() - started)
    return len(missing)


def check_data(folder: TrialFolder, result: TrialResult, data: str) -> None:
    """Raise DataError if a trial was trained on other data than that of the given fingerprint."""
    trained_on = result.environment.get("data", data)
    if trained_on != data:
        raise DataError(
            f"{folder.trial_id} was trained on other data ({trained_on}) than what is there now ({data}); "
            f"use another run folder for it, or remove {folder.path}"
        )
