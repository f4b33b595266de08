"""A trial is measured on the data that it was trained on, or not at all."""

from collections.abc import Callable

import polars as pl
import pytest
import torch

from autoreg.config.trial import TrialConfig
from autoreg.datasets import Dataset
from autoreg.errors import DataError
from autoreg.metrics.measure import measure_trial, measurements_of
from autoreg.networks import Network
from autoreg.runs.folder import Runs
from autoreg.training.loop import train_trial
from autoreg.training.trained import check_data


@torch.no_grad()
def destroyed(network: Network, dataset: Dataset, split: str, replicate: int) -> pl.DataFrame:
    for parameter in network.parameters():
        parameter.zero_()
    return pl.DataFrame({"layer": list(network.measured)})


def test_a_metric_that_changes_its_network_changes_no_other_metric(
    runs: Runs, config: Callable[..., TrialConfig]
) -> None:
    made = config(epochs=1)
    folder = runs.trial(made.trial_id)
    train_trial(made, folder)
    [own], [similarity] = (
        measurements_of(f"{__name__}:destroyed", {}, ["test"]),
        measurements_of("similarity", {}, ["test"]),
    )
    measure_trial(folder, [similarity])
    alone = pl.read_parquet(similarity.path(folder))
    similarity.path(folder).unlink()
    measure_trial(folder, [own, similarity])
    assert pl.read_parquet(similarity.path(folder)).equals(alone)


def test_a_trial_of_other_data_is_refused(runs: Runs, config: Callable[..., TrialConfig]) -> None:
    made = config(epochs=1)
    folder = runs.trial(made.trial_id)
    trained = train_trial(made, folder)
    assert trained is not None
    wanted = measurements_of("similarity", {"samples": 1}, ["test"])
    assert measure_trial(folder, wanted) == 1
    assert measure_trial(folder, wanted) == 0
    folder.write_result(trained.model_copy(update={"environment": {**trained.environment, "data": "another"}}))
    with pytest.raises(
        DataError, match=rf"{made.trial_id} was trained on other data \(another\) than what is there now"
    ):
        measure_trial(folder, measurements_of("similarity", {"samples": 2}, ["test"]))
    with pytest.raises(DataError, match="`autoreg forget --sweep NAME` removes"):
        check_data(folder, folder.read_result(), (trained.environment["data"],))
