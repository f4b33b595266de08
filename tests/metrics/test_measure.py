"""A trial is measured on the data that it was trained on, or not at all."""

from collections.abc import Callable

import pytest

from autoreg.config.trial import TrialConfig
from autoreg.errors import DataError
from autoreg.metrics.measure import check_data, measure_trial, measurements_of
from autoreg.runs.folder import Runs
from autoreg.training.loop import train_trial


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
