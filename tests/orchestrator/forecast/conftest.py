"""Trials that have ended after a known time."""

from collections.abc import Callable

import pytest

from autoreg.config.trial import TrialConfig
from autoreg.runs.folder import Runs


@pytest.fixture
def took(runs: Runs, finish: Callable[..., None]) -> Callable[..., None]:
    """Let a trial have ended after so many seconds an epoch."""

    def write(config: TrialConfig, seconds: float, device: str = "cpu", **environment: str) -> None:
        finish(config)
        folder = runs.trial(config.trial_id)
        ended = {
            "epochs_run": config.epochs,
            "seconds": config.epochs * seconds,
            "device": device,
            "environment": {"threads": "1", **environment},
        }
        folder.write_result(folder.read_result().model_copy(update=ended))

    return write
