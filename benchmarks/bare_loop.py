"""The trials of a run folder, once more: one after another in one process, nothing saved; or by Ray Tune's defaults.

python -m benchmarks.bare_loop {loop,tune} RUNS
"""

import sys
import time
from pathlib import Path
from typing import Any

import torch

from autoreg.config.trial import TrialConfig
from autoreg.datasets import build_dataset
from autoreg.metrics.ablation import ablation
from autoreg.metrics.similarity import similarity
from autoreg.runs.folder import Runs
from autoreg.training.epoch import train_epoch
from autoreg.training.state import TrialState


def train_and_measure(config: TrialConfig, epochs: int) -> float | None:
    """Train a trial for as long as it was, measure it if it is a final one, and return its best validation accuracy."""
    dataset = build_dataset(config, None)
    state = TrialState.fresh(config, dataset)
    for _ in range(epochs):
        train_epoch(config, dataset, state)
    if config.kind == "final":
        network = state.network
        network.load_state_dict(state.best_weights or network.state_dict())
        network.eval()
        ablation(network, dataset, "test", config.replicate)
        similarity(network, dataset, "test", config.replicate)
    return state.epochs[state.best_epoch - 1].validation_accuracy if state.best_epoch else None


def trainable(given: dict[str, Any]) -> dict[str, Any]:
    """Train one trial in Ray Tune."""
    torch.set_num_threads(1)
    train_and_measure(TrialConfig.model_validate_json(given["config"]), given["epochs"])
    return {"done": 1}


if __name__ == "__main__":
    mode, runs = sys.argv[1], Runs(Path(sys.argv[2]))
    trials = [(folder.read_config(), folder.read_result()) for folder in runs.trials()]
    started = time.perf_counter()
    if mode == "loop":
        torch.set_num_threads(1)
        for config, result in trials:
            accuracy = train_and_measure(config, result.epochs_run)
            assert accuracy == result.validation_accuracy, f"{config.trial_id}: {accuracy}, {result}"
    else:
        import ray
        from ray import tune

        ray.init()
        started = time.perf_counter()
        orders = [{"config": config.model_dump_json(), "epochs": result.epochs_run} for config, result in trials]
        space = {"trial": tune.grid_search(list(range(len(orders))))}
        tune.Tuner(lambda given: trainable(orders[given["trial"]]), param_space=space).fit()
    print(time.perf_counter() - started)
