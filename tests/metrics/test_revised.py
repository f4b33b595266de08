"""A metric whose numbers changed for some networks measures these again, under an id of their own, and no other."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from autoreg.config.trial import Choice, TrialConfig
from autoreg.database.connection import query, reading
from autoreg.database.writer import rebuild
from autoreg.metrics.measure import Measurement, is_measured, measure_trial, measurements_of
from autoreg.runs.folder import Runs
from autoreg.runs.records import Layer
from autoreg.training.loop import train_trial
from tests.helpers.records import write_record

FACTORS = (0.25, 0.5, 1, 2, 4)
#: Units of the measured layers of the packaged networks at 1×, those of Inception-v3 with 288 kernels apart.
PACKAGED = {
    "mlp": [128], "alexnet": [96, 256, 384, 192], "resnet56": [16, 32, 64], "resnet18": [64, 128, 256, 512],
    "inception_v3": [32, 64, 80, 192, 256, 768, 1280, 2048],
}  # fmt: skip


def layers(*units: int) -> list[Layer]:
    return [Layer(layer_index=i, layer=f"layer{i}", units=count, positions=1) for i, count in enumerate(units)]


def ablation() -> Measurement:
    [measurement] = measurements_of("ablation", {}, ["test"])
    return measurement


@pytest.mark.parametrize("network", PACKAGED)
def test_measurements_of_packaged_networks_keep_their_ids(network: str) -> None:
    for factor in FACTORS:
        assert ablation().of(layers(*(int(units * factor) for units in PACKAGED[network]))) == ablation()


@pytest.mark.parametrize("units", [18, 30, 36, 54, 60, 72, 144, 288, 576, 1152])
def test_where_one_unit_less_is_dropped_than_before_the_measurement_has_a_new_id(units: int) -> None:
    revised = ablation().of(layers(64, units))
    assert revised.version == 2
    assert revised.measurement_id != ablation().measurement_id
    [thirds] = measurements_of("ablation", {"fractions": 4}, ["test"])
    assert thirds.of(layers(64, 90)) == thirds
    [similarity] = measurements_of("similarity", {}, ["test"])
    assert similarity.of(layers(64, units)) == similarity


def test_a_trial_that_was_measured_before_is_measured_again_and_shown_once(
    tmp_path: Path, runs: Runs, config: Callable[..., TrialConfig], sweep_record: Callable[..., object]
) -> None:
    made = config(epochs=1, width=72 / 128, network=Choice(name="mlp"))
    folder = runs.trial(made.trial_id)
    result = train_trial(made, folder)
    assert result is not None
    old = ablation().path(folder)
    measure_trial(folder, [ablation()])
    ablation().of(result.layers).path(folder).rename(old)
    rows = pl.read_parquet(old).with_columns(unchanged=0.0)
    facts = {"metric": "ablation", "version": "1", "split": "test", "options": "{}"}
    rows.write_parquet(old, metadata=facts)
    assert not is_measured(folder, result.layers, [ablation()])

    asked = [
        {"metric": "ablation", "split": "test", "measurement_id": one.measurement_id} for one in ablation().versions
    ]
    write_record(runs, {**sweep_record([folder]), "sweep_measurements": asked})
    rebuild(tmp_path / "old.db", runs)
    assert measure_trial(folder, [ablation()]) == 1
    assert is_measured(folder, result.layers, [ablation()])
    rebuild(tmp_path / "new.db", runs)

    def scores(name: str) -> pl.DataFrame:
        with reading(tmp_path / name) as connection:
            assert query(connection, "select state from final_trial_states")["state"].to_list() == ["measured"]
            return query(connection, "select auc from auc where definition = 'released'")

    assert scores("old.db")["auc"].to_list() == [0.0] * 3
    assert (scores("new.db")["auc"] > 0.3).to_list() == [True] * 3
