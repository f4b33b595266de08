"""What is not a finite number is not measured: NaN would count as a constant activation, and ±inf as anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from autoreg.errors import DataError
from autoreg.networks import Network


@contextmanager
def finite_activations(network: Network, split: str) -> Iterator[None]:
    """Watch what a metric has a network compute.

    Raises:
        DataError: a measured layer, or the output, gave NaN or ±inf, whatever else went wrong because of it.
    """
    largest: dict[str, Tensor] = {}
    *_, output = network.stages.named_children()
    watched = [*((layer, network.stages.get_submodule(layer)) for layer in network.measured), output]
    handles = [stage.register_forward_hook(partial(_note, largest, layer)) for layer, stage in watched]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for layer, _ in watched:
            if layer in largest and not largest[layer].isfinite():
                raise DataError(
                    f"activations must be finite numbers, got NaN or ±inf in layer {layer} on {split} inputs"
                )


def _note(largest: dict[str, Tensor], layer: str, _stage: nn.Module, _inputs: object, values: Tensor) -> None:
    # the largest |value|, which NaN and ±inf outdo, is looked at when all is done: a GPU need not wait for it here
    here = torch.linalg.vector_norm(values, torch.inf)
    largest[layer] = torch.maximum(largest.get(layer, here), here)
