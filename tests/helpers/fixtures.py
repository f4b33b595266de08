"""A small sweep, a way to finish its trials without training them, and one to run any sweep without Ray."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autoreg.config.sweep_file import LoadedSweep, load_sweep
from autoreg.config.trial import TrialConfig
from autoreg.runs.folder import Runs
from autoreg.runs.records import Epoch, TrialResult

TEXT = """\
name: small
figures: [B5]
network: mlp
dataset: {name: teacher, train_size: 200, validation_size: 100, test_size: 100}
grid:
  width: [1/4, 1/2]
replicates: 2
training: {learning_rate: 0.1, batch_size: 50, epochs: 3}
tune:
  space: {learning_rate: {low: 1e-3, high: 1}}
  trials: 5
  epochs: 4
  startup: 3
  warmup: 1
measure:
  metrics:
    ablation: {fractions: 3, samples: 1}
    similarity: {samples: 1}
"""


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., LoadedSweep]:
    """The small sweep, with overrides."""
    path = tmp_path / "small.yaml"
    path.write_text(TEXT)
    return lambda *overrides: load_sweep(path, overrides)


@pytest.fixture
def finish(runs: Runs) -> Callable[..., None]:
    """Write a trial's result: its validation accuracy is highest at a learning rate of 0.03."""

    def write(config: TrialConfig, status: str = "done") -> None:
        score = 1 / (1 + abs(config.learning_rate - 0.03))
        epochs = [
            Epoch(
                epoch=number, learning_rate=config.learning_rate, train_loss=1.0, train_accuracy=0.5,
                validation_loss=1.0, validation_accuracy=score * number / config.epochs, seconds=0.1,
            )
            for number in range(1, config.epochs + 1)
        ]  # fmt: skip
        folder = runs.trial(config.trial_id)
        folder.write_config(config)
        result = {
            "best_epoch": config.epochs,
            "finished_at": "2026-01-01T00:00:00+00:00",
            "validation_accuracy": score,
            "epochs": epochs,
        }
        folder.write_result(TrialResult.model_validate({**result, "status": status}))

    return write


@pytest.fixture
def forks() -> Iterator[None]:
    """Have sweeps of this process train and measure in forks, in place of Ray's processes."""
    from tests.helpers.forked import forked_sweeps

    with forked_sweeps():
        yield
