"""One epoch of training, from its first step or from where it was left, and evaluation."""

import math
import time
from dataclasses import replace

import torch
from torch.nn import functional

from autoreg.config.trial import TrialConfig
from autoreg.datasets import Dataset
from autoreg.networks import Network
from autoreg.runs.records import Epoch
from autoreg.seeds import derive_seed
from autoreg.training.generators import draw_on_from, seed_generators
from autoreg.training.optimizers import learning_rate_at, set_learning_rate
from autoreg.training.precision import precision_of
from autoreg.training.saving import Keeper
from autoreg.training.state import BegunEpoch, TrialState


def train_epoch(config: TrialConfig, dataset: Dataset, state: TrialState, keeper: Keeper | None = None) -> Epoch:
    """Train one epoch, evaluate on the validation split, and return both; with the trial's precision.

    Raises Stopped as the keeper does; `state` can be saved then, and goes on with the next step.
    """
    with precision_of(config.precision, dataset.train.labels.device):
        return _train_epoch(config, dataset, state, keeper)


def _train_epoch(config: TrialConfig, dataset: Dataset, state: TrialState, keeper: Keeper | None) -> Epoch:
    started = time.perf_counter()
    network, optimizer, done = state.network, state.optimizer, len(state.epochs)
    device = dataset.train.labels.device
    generator = torch.Generator().manual_seed(derive_seed(config.replicate, "batches", done))
    seed_generators(derive_seed(config.replicate, "dropout", done), device)
    order = torch.randperm(len(dataset.train), generator=generator) if config.shuffle else None
    augmenting = generator if config.augmentation else None
    network.train()
    begun = state.begun = state.begun or BegunEpoch(torch.zeros((), device=device), torch.zeros((), device=device))
    given = replace(dataset, train=dataset.train.passing_over(begun.steps)) if begun.steps else dataset
    batches = given.batches("train", config.effective_batch_size, order, augmenting)
    for _ in range(begun.steps):
        next(batches)
    if begun.drawn:
        draw_on_from(begun.drawn, device)
        begun.loss, begun.correct = begun.loss.to(device), begun.correct.to(device)
        started -= begun.seconds
    for inputs, labels in batches:
        begun.learning_rate = learning_rate_at(config, done + begun.seen / len(dataset.train))
        set_learning_rate(optimizer, begun.learning_rate)
        logits, loss = network.loss(inputs, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if state.average is not None:
            state.average.update_parameters(network)
        begun.steps += 1
        begun.seen += len(labels)
        begun.loss += loss.detach() * len(labels)
        begun.correct += (logits.detach().argmax(1) == labels).sum()
        begun.seconds = time.perf_counter() - started
        if keeper:
            keeper.after_step()
    train_loss = begun.loss.item() / len(dataset.train)
    validation_loss, validation_accuracy = evaluate(state.kept, dataset, "validation", keeper)
    epoch = Epoch(
        epoch=done + 1,
        learning_rate=begun.learning_rate,
        train_loss=_finite(train_loss),
        train_accuracy=begun.correct.item() / len(dataset.train),
        validation_loss=_finite(validation_loss),
        validation_accuracy=validation_accuracy,
        seconds=time.perf_counter() - started,
    )
    state.add(epoch, config)
    return epoch


@torch.inference_mode()
def evaluate(network: Network, dataset: Dataset, split: str, keeper: Keeper | None = None) -> tuple[float, float]:
    """Return the mean cross-entropy and the accuracy, a share in [0, 1], of a split without augmentation."""
    network.eval()
    labels = dataset.split(split).labels
    loss, correct = torch.zeros((), device=labels.device), torch.zeros((), device=labels.device)
    for inputs, truth in dataset.batches(split):
        logits = network(inputs)
        loss += functional.cross_entropy(logits.float(), truth, reduction="sum")
        correct += (logits.argmax(1) == truth).sum()
        if keeper:
            keeper.in_evaluation()
    return loss.item() / len(labels), correct.item() / len(labels)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
