"""What is not a finite number is not measured: NaN would count as a constant activation, and ±inf as anything."""

import copy
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from autoreg.errors import DataError
from autoreg.networks import Network

#: By the twin of a stage that is watched, the stage.
_WATCHED: WeakKeyDictionary[nn.Module, nn.Module] = WeakKeyDictionary()


@contextmanager
def finite_activations(network: Network, split: str) -> Iterator[None]:
    """Watch the intact network at each batch that a metric passes through it.

    Raises:
        DataError: a measured layer, or the output, gave NaN or ±inf, whatever else went wrong because of it.
    """
    stages = dict(network.stages._modules)
    twins = {name: _twin(stage) for name, stage in stages.items() if stage is not None}
    _WATCHED.update((twin, network.stages.get_submodule(name)) for name, twin in twins.items())
    network.stages._modules.update(twins)
    first, *_, output = twins
    watched = {layer: twins[layer] for layer in (*network.measured, output)}
    extremes: dict[str, Tensor] = {}
    due: set[str] = set()

    def begin(_stage: nn.Module, _inputs: object) -> None:
        due.update(watched)

    def look(layer: str, _stage: nn.Module, _inputs: object, values: Tensor) -> None:
        if layer in due:  # what a metric then makes of the batch, such as dropping units, starts behind the first stage
            due.remove(layer)
            here = torch.stack([values.amax(), -values.amin()])  # NaN and ±inf outdo all numbers
            extremes[layer] = torch.maximum(extremes.get(layer, here), here)

    handles = [twins[first].register_forward_pre_hook(begin)]
    handles += [stage.register_forward_hook(partial(look, layer)) for layer, stage in watched.items()]
    try:
        yield
    finally:
        for handle in handles:  # a metric may have kept a twin
            handle.remove()
        network.stages._modules.update(stages)
        for layer in watched:  # only now, since a GPU would have to be waited for
            if layer in extremes and not extremes[layer].isfinite().all():
                raise DataError(
                    f"activations must be finite numbers, got NaN or ±inf in layer {layer} on {split} inputs"
                )


def unwatched(network: Network) -> Network:
    """Return a network that may be watched without the watch: of the same modules, as it was built."""
    plain = copy.copy(network)
    plain._modules = dict(network._modules)
    plain.stages = nn.Sequential(
        OrderedDict((name, _WATCHED.get(stage, stage)) for name, stage in network.stages._modules.items() if stage)
    )
    plain.stages.training = network.stages.training
    return plain


def _twin(stage: nn.Module) -> nn.Module:
    """Return a stage with hooks of its own that shares all else: a module may stand in several, and within others."""
    twin: nn.Module = object.__new__(type(stage))
    own_hooks = {
        name: hooks.copy() for name, hooks in vars(stage).items() if name.endswith("_hooks") and hooks is not None
    }
    vars(twin).update(vars(stage) | own_hooks)
    return twin
