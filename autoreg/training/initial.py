"""A trial's network before its first step: drawn from the replicate's seed, drawn again, and known again."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from autoreg.config.trial import TrialConfig
from autoreg.datasets import Dataset
from autoreg.errors import DataError
from autoreg.networks import Network, build_network
from autoreg.networks.initializers import initialize, weight_matrix
from autoreg.runs.records import TrialResult
from autoreg.seeds import derive_seed
from autoreg.training.generators import seed_generators

#: Sketches may differ by this share of a weight's norm: processors round differently. Other draws differ by about half.
NEAR = 1e-4


def constructed_network(config: TrialConfig, dataset: Dataset) -> Network:
    """Return the trial's network, its weights not yet initialised, with all generators seeded for what it draws."""
    seed_generators(derive_seed(config.replicate, "construction"), dataset.train.labels.device)
    return build_network(config, dataset.input_shape, dataset.classes)


def drawn_network(config: TrialConfig, dataset: Dataset) -> Network:
    """Return the trial's network before its first step, on the CPU."""
    network = constructed_network(config, dataset)
    initialize(network, config.initializer, config.replicate)
    return network


def initial_network(config: TrialConfig, dataset: Dataset, result: TrialResult) -> Network:
    """Return a trained trial's network before its first step, in evaluation mode, on the dataset's device.

    Raises:
        DataError: other weights are drawn now than the trial began with, or it cannot be told.
    """
    with torch.random.fork_rng(devices=[]):
        network = drawn_network(config, dataset)
    own = [choice.name for choice in (config.network, config.initializer) if ":" in choice.name]
    if own and not result.initial_weights:
        raise DataError(
            f"the initial weights of {own[0]!r} must be known again, and this trial is of a version that kept no "
            "digest of them; train it again in another run folder"
        )
    if result.initial_weights and not is_near(network, result.initial_weights):
        raise DataError("other initial weights are drawn now than the trial began with")
    return network.to(dataset.test.labels.device).eval()


def sketch(network: Network) -> list[float | None]:
    """Return a number for each weight, to 7 digits: its product with two fixed vectors, about half its norm in size.

    Sums of all entries would not see two that change places. None stands where a weight is not finite.
    """
    values = [_waves(matrix) for matrix in _matrices(network)]
    return [float(f"{value:.7g}") if math.isfinite(value) else None for value in values]


def is_near(network: Network, stated: Sequence[float | None]) -> bool:
    """Whether a network's weights are those of a sketch, on whatever device."""
    matrices = _matrices(network)
    return len(matrices) == len(stated) and all(
        value is not None and abs(_waves(matrix) - value) <= NEAR * float(matrix.norm())
        for matrix, value in zip(matrices, stated, strict=True)
    )


def _matrices(network: Network) -> list[Tensor]:
    return [weight_matrix(module) for _, module in network.maps()]


def _waves(matrix: Tensor) -> float:
    left, right = (torch.arange(size, dtype=torch.float64).cos().to(matrix) for size in matrix.shape)
    return float(left @ matrix @ right)
