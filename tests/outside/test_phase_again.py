"""One line of figure Phase again, by a program of NumPy alone that shares no code with autoreg."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from autoreg.config.trial import Choice, TrialConfig
from autoreg.datasets import build_dataset
from autoreg.metrics import metrics
from autoreg.training.initial import drawn_network
from autoreg.training.loop import train_epoch
from autoreg.training.state import TrialState

Array = NDArray[np.float64]
WIDTHS, REPLICATES = (0.25, 1.0, 4.0), 8
EPOCHS, RATE, BATCH, RICHNESS = 20, 0.1, 100, 1.0


def again(width: float, generator: np.random.Generator) -> tuple[float, float]:
    """Return movement and similar units of an MLP of 128·width units, in muP, on a teacher of its own."""
    units, dimensions, examples = round(128 * width), 10, 500

    def relu(values: Array) -> Array:
        return np.maximum(values, 0)

    while True:
        teacher = generator.normal(size=(dimensions, 32)), generator.normal(size=(32, 2))
        inputs = generator.normal(size=(2 * examples, dimensions))
        labels = (relu(inputs @ teacher[0]) @ teacher[1]).argmax(1)
        if 0.4 <= labels.mean() <= 0.6:
            break
    train, test = np.split(inputs, 2)
    targets = np.eye(2)[labels[:examples]]
    # He's deviation at width 1; the output's is divided by the growth of its inputs
    first = [generator.normal(size=(dimensions, units)) * np.sqrt(2 / dimensions), np.zeros(units)]
    last = [generator.normal(size=(units, 2)) * np.sqrt(2 / 128) / width, np.zeros(2)]
    weights = [*first, *last]
    initial = [each.copy() for each in weights]
    rates = [RATE * width, RATE * width, RATE / width, RATE]
    velocity = [np.zeros_like(each) for each in weights]
    for _ in range(EPOCHS):
        for batch in np.split(generator.permutation(examples), examples // BATCH):
            x, (w, b, v, c) = train[batch], weights
            hidden = relu(x @ w + b)
            before = relu(x @ initial[0] + initial[1]) @ initial[2] + initial[3]
            logits = (hidden @ v + c - before) / RICHNESS
            shares = np.exp(logits - logits.max(1, keepdims=True))
            error = (shares / shares.sum(1, keepdims=True) - targets[batch]) / BATCH / RICHNESS
            back = (error @ v.T) * (hidden > 0)
            gradients = [x.T @ back, back.sum(0), hidden.T @ error, error.sum(0)]
            velocity = [0.9 * speed + gradient for speed, gradient in zip(velocity, gradients, strict=True)]
            weights = [each - rate * speed for each, rate, speed in zip(weights, rates, velocity, strict=True)]
    moved = float(np.linalg.norm(weights[0] - initial[0]) / np.linalg.norm(initial[0]))
    correlations = np.corrcoef(relu(test @ weights[0] + weights[1]).T)
    return moved, float((np.abs(correlations) >= 0.5).sum(1).mean() - 1)


def ours(made: TrialConfig) -> tuple[float, float]:
    dataset = build_dataset(made, None)
    state = TrialState.fresh(made, dataset)
    for _ in range(made.epochs):
        train_epoch(made, dataset, state)
    network = state.network.eval()
    network.remember(drawn_network(made, dataset))
    moved = metrics["movement"](network, dataset, "test", made.replicate)["movement"].list.first()[0]
    similar = metrics["similarity"](network, dataset, "test", made.replicate, samples=1)["similar"].explode()
    return moved, float(similar.mean())  # type: ignore[arg-type]


@pytest.mark.slow
def test_movement_and_similar_units_of_one_richness_are_those_of_numpy_at_each_width(
    config: Callable[..., TrialConfig],
) -> None:
    torch.set_num_threads(1)
    sizes = {"train_size": 500, "validation_size": 10, "test_size": 500, "seed": "replicate"}
    for width in WIDTHS:
        generator = np.random.default_rng(round(100 * width))
        theirs = np.array([again(width, generator) for _ in range(REPLICATES)])
        made = {
            "dataset": Choice(name="teacher", options=sizes), "width": width, "parametrization": "mup",
            "richness": RICHNESS, "epochs": EPOCHS, "learning_rate": RATE, "batch_size": BATCH,
        }  # fmt: skip
        found = np.array([ours(config(**made, replicate=replicate)) for replicate in range(REPLICATES)])
        for column, score in enumerate(("movement", "similar units")):
            mine, other = found[:, column], theirs[:, column]
            said = [f"{each.mean():.3f} ± {each.std():.3f}" for each in (mine, other)]
            print(f"{width:g}x {score}: {said[0]}, NumPy {said[1]}")
            spread = np.sqrt(mine.var(ddof=1) + other.var(ddof=1))
            assert abs(mine.mean() - other.mean()) <= spread, (width, score)
