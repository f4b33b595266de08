"""Removable and repeated units of any trained model, without a sweep."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from autoreg.datasets import Dataset, Split
from autoreg.errors import ConfigError
from autoreg.measures import Measures
from autoreg.metrics.ablation import ablation
from autoreg.metrics.similarity import similarity
from autoreg.networks.wrapped import wrap


def measure_model(
    model: nn.Module,
    inputs: Tensor | Iterable[tuple[Tensor, Tensor]],
    labels: Tensor | None = None,
    *,
    fractions: int = 7,
    samples: int = 3,
    threshold: float = 0.5,
    max_vectors: int = 50_000,
    seed: int = 0,
    batch_size: int = 250,
) -> Measures:
    """Return the removable and the repeated units of a trained model, which is not changed.

        measured = autoreg.measure_model(torchvision.models.resnet18(weights="DEFAULT"), inputs, labels)
        measured.by_layer()  # layer, units, auc, similar_units, dead_share

    Args:
        model: of one input and one output, logits, [examples, classes]; it is cut into layers by
            `autoreg.networks.wrapped.wrap`, or is a `Network`.
        inputs: examples as the model takes them, [examples, …], or a DataLoader of (inputs, labels). They are held in
            memory, on the model's device.
        labels: true labels, [examples]; without them the accuracy in `ablation` is NaN. Unchanged labels need none.
        fractions: how many equally spaced shares of dropped units from 0 to 1.
        samples: how many random choices of units, and of activation vectors.
        threshold: |r| from which two units are similar, in (0, 1).
        max_vectors: how many activation vectors are correlated at most.
        seed: of the random choices.
        batch_size: how many examples are passed at once; all activations of a batch are held.

    Raises:
        ConfigError: the model cannot be cut into layers, or does not take the inputs.
    """
    if not isinstance(inputs, Tensor):
        batches = list(inputs)
        if labels is not None or not all(isinstance(batch, tuple | list) and len(batch) == 2 for batch in batches):
            raise ConfigError("a loader gives pairs of inputs and labels, without labels beside it")
        inputs, labels = (torch.cat(list(column)) for column in zip(*batches, strict=True))
    if not len(inputs) or (labels is not None and len(labels) != len(inputs)):
        given = "none" if labels is None else len(labels)
        raise ConfigError(f"there must be examples, and a label for each, got {len(inputs)} and {given}")
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    network = wrap(model, inputs[:2].to(device)).to(device).eval()
    with torch.inference_mode():
        classes = network(inputs[:1].to(device)).shape[1]
    split = Split(inputs, torch.zeros(len(inputs), dtype=torch.int64) if labels is None else labels).to(device)
    shape = tuple(inputs.shape[1:])
    dataset = Dataset(split, split, split, shape, classes, "given", evaluation_batch=batch_size)
    removed = ablation(network, dataset, "test", seed, fractions=fractions, samples=samples)
    repeated = similarity(network, dataset, "test", seed, threshold=threshold, samples=samples, max_vectors=max_vectors)
    return Measures(removed if labels is not None else removed.with_columns(accuracy=math.nan), repeated)
