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
    """Watch the intact network at each batch that a metric passes through it.

    Raises:
        DataError: a measured layer, or the output, gave NaN or ±inf, whatever else went wrong because of it.
    """
    first, *_, output = network.stages.named_children()
    watched = dict([*((layer, network.stages.get_submodule(layer)) for layer in network.measured), output])
    extremes: dict[str, Tensor] = {}
    due: set[str] = set()

    def begin(_stage: nn.Module, _inputs: object) -> None:
        due.update(watched)

    def look(layer: str, _stage: nn.Module, _inputs: object, values: Tensor) -> None:
        if layer in due:  # what a metric then makes of the batch, such as dropping units, starts behind the first stage
            due.remove(layer)
            here = torch.stack([values.amax(), -values.amin()])  # NaN and ±inf outdo all numbers
            extremes[layer] = torch.maximum(extremes.get(layer, here), here)

    handles = [first[1].register_forward_pre_hook(begin)]
    handles += [stage.register_forward_hook(partial(look, layer)) for layer, stage in watched.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for layer in watched:  # only now, since a GPU would have to be waited for
            if layer in extremes and not extremes[layer].isfinite().all():
                raise DataError(
                    f"activations must be finite numbers, got NaN or ±inf in layer {layer} on {split} inputs"
                )
