"""How large a trial is, on paper and on disk; nothing is allocated."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from autoreg.config.trial import TrialConfig
from autoreg.networks import build_network, forward_flops
from autoreg.training.optimizers import build_optimizer

#: `config.json`, and `result.json` beside its epochs; and what an epoch adds.
BYTES_OF_RECORDS = 2_000
BYTES_OF_AN_EPOCH = 200
#: A file system gives whole blocks.
BLOCK = 4096


@dataclass(frozen=True)
class Size:
    """What a network costs on paper.

    Attributes:
        forward_flops: of one example; see `networks.forward_flops`.
        checkpoint_bytes: of `checkpoint.pt`: parameters and the statistics of batch normalisation.
        state_bytes: of one `resume.pt`: the network, the optimizer's state, averaged and best weights.
    """

    forward_flops: int | None
    checkpoint_bytes: int
    state_bytes: int


def size_of(config: TrialConfig, input_shape: Sequence[int], classes: int) -> Size:
    """Return what a trial's network costs; nothing is allocated."""
    with torch.device("meta"):
        network = build_network(config, input_shape, classes)
        optimizer = build_optimizer(config, network)
        for parameter in network.parameters():
            parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
    weights = _bytes(network.state_dict().values())
    copies = 1 + bool(config.weight_average) + (config.patience is not None)
    state = _bytes(value for values in optimizer.state.values() for value in values.values())
    return Size(forward_flops(config, input_shape, classes), weights, copies * weights + state)


def _bytes(values: Iterable[Any]) -> int:
    return sum(value.numel() * value.element_size() for value in values if isinstance(value, Tensor))


def record_bytes(epochs: int) -> int:
    """Return the bytes of a trial's folder, `config.json` and `result.json`."""
    return 2 * BLOCK + on_disk(BYTES_OF_RECORDS + BYTES_OF_AN_EPOCH * epochs)


def on_disk(size: float) -> int:
    """Return what a file of so many bytes takes of a disk."""
    return -(-int(size) // BLOCK) * BLOCK
