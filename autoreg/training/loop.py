"""Training: one trial from its configuration to its checkpoint."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from autoreg.config.trial import TrialConfig
from autoreg.datasets import Dataset, build_dataset
from autoreg.networks import Network, trainable_parameters
from autoreg.runs.folder import TrialFolder
from autoreg.runs.records import Epoch, Layer, Status, TrialResult
from autoreg.training import checkpoints
from autoreg.training.environment import environment_of
from autoreg.training.epoch import evaluate, train_epoch
from autoreg.training.fast_path import choose_path
from autoreg.training.initial import constructed_network, initial_network
from autoreg.training.precision import precision_of
from autoreg.training.reference import Logits, check_stages, reference_logits
from autoreg.training.saving import Keeper, Stopped
from autoreg.training.state import TrialState


def train_trial(
    config: TrialConfig,
    folder: TrialFolder,
    *,
    root: Path | None = None,
    device: str = "cpu",
    prune_below: Sequence[float | None] = (),
    parent: TrialFolder | None = None,
    has_successor: bool = False,
    kernel: bool = True,
    on_epoch: Callable[[Epoch], object] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> TrialResult | None:
    """Train a trial to its end and return its result, which is also in the run folder; None if it was stopped early.

    A trial that was stopped or killed continues from `resume.pt`, also in the middle of an epoch, and ends, on a CPU,
    with the same bits as one that was not: all randomness of an epoch derives from the replicate and the epoch.

    Args:
        config: the trial.
        folder: its run folder; the caller holds its lock.
        root: the folder that holds data, or None for AUTOREG_DATA.
        device: `cpu` or `cuda`.
        prune_below: for each epoch, the `selection_score` that the best so far must reach; None where any will do.
        parent: the finished trial, of the same settings but fewer epochs, whose network this one trains further; the
            result is the same as without.
        has_successor: whether a longer trial will go on from this one, so that its state is kept.
        kernel: whether the compiled kernel may compute what it can; the last bits are others then.
        on_epoch: called after each epoch.
        stop: asked after each epoch, and once a second within one; when true, the state is saved and training ends
            without a result.
    """
    dataset = build_dataset(config, root, device)
    folder.write_config(config)
    state, resumed = TrialState.resumed(config, dataset, folder, *([parent] if parent else []))
    path = choose_path(state, kernel)
    check_stages(state.network, dataset)  # what cannot be measured is said before it is trained

    def save() -> None:
        state.save(folder, config, dataset.fingerprint)

    keeper = Keeper(save, stop)
    try:
        status = _train(config, dataset, state, keeper, prune_below, on_epoch)
        if has_successor and status == "done":
            save()
        result = _finish(config, folder, dataset, state, status, {"kernel": path, "resumed": resumed}, keeper)
    except Stopped:
        if not (has_successor and state.is_finished(config)):  # whose state is saved, and weights may be the best now
            save()
        return None
    folder.discarded_path.unlink(missing_ok=True)
    if not has_successor:
        folder.delete_resume_state()
    if parent:
        parent.delete_resume_state()
    return result


def _train(
    config: TrialConfig,
    dataset: Dataset,
    state: TrialState,
    keeper: Keeper,
    prune_below: Sequence[float | None],
    on_epoch: Callable[[Epoch], object],
) -> Status:
    """Train what is left of a trial, and return how that ended. Raises Stopped."""
    while not state.is_finished(config):
        epoch = train_epoch(config, dataset, state, keeper)
        on_epoch(epoch)
        if not epoch.is_finite:
            return "diverged"
        if state.falls_behind(config, prune_below):
            return "pruned"
        if not state.is_finished(config):
            keeper.after_epoch()
    return "done"


def _finish(
    config: TrialConfig,
    folder: TrialFolder,
    dataset: Dataset,
    state: TrialState,
    status: Status,
    history: Mapping[str, str | None],
    keeper: Keeper,
) -> TrialResult:
    network = state.kept
    if state.best_weights:
        network.load_state_dict(state.best_weights)
    network.eval()
    accuracies: dict[str, Any] = {}
    logits: Logits = []
    if config.kind == "final" and status == "done":
        with precision_of(config.precision, dataset.train.labels.device):
            accuracies = {
                f"{split}_accuracy": evaluate(network, dataset, split, keeper)[1]
                for split in ("train", "validation", "test")
            }
        logits = reference_logits(network, dataset)
        content = {"trial_id": config.trial_id, "epoch": state.best_epoch, "network": network.state_dict()}
        checkpoints.save(folder.checkpoint_path, content)
    elif state.best_epoch:
        # A tuning trial never looks at the test split, and its weights are not needed again.
        accuracies = {"validation_accuracy": state.epochs[state.best_epoch - 1].validation_accuracy}
    told = {**history, "trained_again": folder.discarded}
    result = TrialResult(
        status=status,
        parameters=trainable_parameters(network),
        epochs_run=len(state.epochs),
        best_epoch=state.best_epoch,
        seconds=sum(epoch.seconds for epoch in state.epochs),
        device=_device_name(dataset),
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        environment=environment_of(dataset.fingerprint) | {name: text for name, text in told.items() if text},
        layers=layers_of(network, dataset),
        logits=logits,
        initial_weights=state.drawn,
        epochs=state.epochs,
        **accuracies,
    )
    folder.write_result(result)
    return result


@torch.inference_mode()
def layers_of(network: Network, dataset: Dataset) -> list[Layer]:
    """Return the measured layers with their units and positions."""
    network.eval()
    inputs, _ = next(dataset.batches("train", 1))
    return [
        Layer(layer_index=index, layer=layer, units=shape[1], positions=math.prod(shape[2:]))
        for index, (layer, shape) in enumerate((layer, values.shape) for layer, values in network.walk(inputs))
    ]


def load_network(config: TrialConfig, folder: TrialFolder, dataset: Dataset) -> Network:
    """Return a trained network, in evaluation mode.

    Raises:
        DamagedCheckpoint: the checkpoint is missing, damaged, another trial's or of another architecture.
    """
    content: dict[str, Any] = checkpoints.load(folder.checkpoint_path)
    if content.get("trial_id") != config.trial_id:
        raise checkpoints.DamagedCheckpoint(f"{folder.checkpoint_path.name} is of another trial")
    with torch.random.fork_rng(devices=[]):  # what a user's network draws by itself need not be in its state_dict
        network = constructed_network(config, dataset)
    try:
        network.load_state_dict(content["network"])
    except (KeyError, TypeError, RuntimeError) as error:
        problem = f"{folder.checkpoint_path.name} does not fit the network {config.network}"
        raise checkpoints.DamagedCheckpoint(problem) from error
    network.to(dataset.test.labels.device)
    if config.richness is not None:
        network.train_from(initial_network(config, dataset, folder.read_result()), config.richness)
    return network.eval()


def _device_name(dataset: Dataset) -> str:
    device = dataset.test.labels.device
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
