"""A network as a sequence of named stages, some of which are measured."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from autoreg.config.trial import scaled
from autoreg.errors import ConfigError
from autoreg.registry import Registry

#: (width, input_shape, classes, dropout, *, options…) -> Network
networks: Registry[Callable[..., "Network"]] = Registry("network", "width", "input_shape", "classes", "dropout")

#: A weight has two or more dimensions; of the others, those of batch normalisation are told from biases.
ParameterKind = Literal["weights", "biases", "normalization"]


class Auxiliary(nn.Module):
    """A classifier beside the network, whose loss is added while training (Szegedy et al. 2016, section 4).

    Args:
        layer: name of the stage whose activations it takes.
        classifier: activations of that stage → logits, [batch, classes].
        weight: factor of its loss.
    """

    def __init__(self, layer: str, classifier: nn.Module, weight: float) -> None:
        super().__init__()
        self.layer, self.classifier, self.weight = layer, classifier, weight

    def forward(self, activations: Tensor) -> Tensor:
        """Return the logits, [batch, classes]."""
        logits: Tensor = self.classifier(activations)
        return logits


class Network(nn.Module):
    """A network that holds its stages in order and names the measured ones.

    A measured stage ends at the activation that is measured (paper, section 3); pooling, normalisation, dropout and
    flattening are stages of their own after it. A unit is dimension 1 of a stage's output.

    Args:
        stages: pairs of a name and a module; the output of each is the input of the next.
        measured: names of the measured stages, in order. The last stage gives the logits and is never measured.
        decayed: names of the stages that are subject to weight decay; None means all of them and the auxiliary.
        decayed_kinds: which parameters of these stages are.
        auxiliary: a classifier of a hidden stage that takes part in `loss` only.

    Raises:
        ValueError: a name is unknown, or a module works in place, which would corrupt the activations that
            `walk` hands out.
    """

    def __init__(
        self,
        stages: Iterable[tuple[str, nn.Module]],
        measured: Sequence[str],
        decayed: Sequence[str] | None = None,
        decayed_kinds: Sequence[ParameterKind] = ("weights",),
        auxiliary: Auxiliary | None = None,
    ) -> None:
        super().__init__()
        self.stages = nn.Sequential(OrderedDict(stages))
        self.auxiliary = auxiliary
        names = list(self.stages._modules)
        self._index = {name: index for index, name in enumerate(names)}
        for name in (*measured, *(decayed or ()), *([auxiliary.layer] if auxiliary else [])):
            if name not in self._index:
                raise ValueError(f"no stage is called {name!r} (stages: {', '.join(names)})")
        if not measured or list(measured) != sorted(measured, key=self._index.__getitem__) or measured[-1] == names[-1]:
            raise ValueError(f"measured stages are hidden ones, in the order of the stages, got {list(measured)}")
        for name, stage in self._parts():
            if any(getattr(module, "inplace", False) for module in stage.modules()):
                raise ValueError(f"stage {name!r} works in place, which would corrupt measured activations")
        self.measured = tuple(measured)
        self.decayed = tuple(decayed) if decayed is not None else tuple(name for name, _ in self._parts())
        self.decayed_kinds = frozenset(decayed_kinds)
        self.to(memory_format=torch.channels_last)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits, [batch, classes]."""
        logits: Tensor = self.stages(_channels_last(inputs))
        return logits

    def loss(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits, [batch, classes], and what training minimises: their mean cross-entropy.

        An auxiliary classifier adds its own, times its weight. Nothing else runs it.
        """
        if self.auxiliary is None:
            logits = _channels_last(inputs)
            for module in pool_first(self.stages):
                logits = module(logits)
            return logits, functional.cross_entropy(logits, labels)
        split = self._index[self.auxiliary.layer] + 1
        activations = self.stages[:split](_channels_last(inputs))
        logits = self.stages[split:](activations)
        beside = functional.cross_entropy(self.auxiliary(activations), labels)
        return logits, functional.cross_entropy(logits, labels) + self.auxiliary.weight * beside

    def walk(self, inputs: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Yield (layer, activations) of each measured layer during one forward pass; activations are [batch, units, …].

        The stages after the last measured one are not run; `after(layer)(activations)` gives the logits.
        """
        last = self._index[self.measured[-1]]
        activations = _channels_last(inputs)
        for name, stage in list(self.stages._modules.items())[: last + 1]:  # also one that stands there twice
            activations = stage(activations)
            if name in self.measured:
                yield name, activations

    def after(self, layer: str) -> nn.Sequential:
        """Return the rest of the network after a layer, sharing its parameters."""
        return self.stages[self._index[layer] + 1 :]

    def between(self, layer: str, other: str) -> nn.Sequential:
        """Return the stages after `layer`, up to and with `other`, sharing their parameters."""
        return self.stages[self._index[layer] + 1 : self._index[other] + 1]

    def weights(self) -> list[tuple[str, nn.Parameter]]:
        """Return (stage, weight) of every weight matrix or kernel, in the order in which the input meets them.

        Those of an auxiliary classifier, whose stage is called `auxiliary`, stand before the output layer's.
        """
        return [
            (name, parameter)
            for name, stage in self._parts()
            for parameter in stage.parameters()
            if parameter.ndim >= 2
        ]

    def decayed_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that weight decay acts on."""
        return [
            parameter
            for name, stage in self._parts()
            if name in self.decayed
            for module in stage.modules()
            for parameter in module.parameters(recurse=False)
            if _kind(module, parameter) in self.decayed_kinds
        ]

    def _parts(self) -> list[tuple[str, nn.Module]]:
        *hidden, output = self.stages.named_children()
        return [*hidden, *([("auxiliary", self.auxiliary)] if self.auxiliary is not None else []), output]


def _kind(module: nn.Module, parameter: nn.Parameter) -> ParameterKind:
    if parameter.ndim >= 2:
        return "weights"
    return "normalization" if isinstance(module, nn.modules.batchnorm._BatchNorm) else "biases"


def _channels_last(inputs: Tensor) -> Tensor:
    # Convolutions on a CPU run up to twice as fast in this layout; the numbers and the shapes are the same.
    return inputs.contiguous(memory_format=torch.channels_last) if inputs.ndim == 4 else inputs


def units(base: int, width: float) -> int:
    """Return the units of a layer at a width factor, rounded down exactly. Raises ConfigError if none is left."""
    count = scaled(base, width)
    if count < 1:
        raise ConfigError(f"a width must leave a unit in every layer, got {width} of {base} units")
    return count


def image_shape(input_shape: Sequence[int]) -> tuple[int, int, int]:
    """Return the channels, height and width of an image. Raises ValueError if the inputs are not images."""
    if len(input_shape) != 3:
        raise ValueError("it needs images: channels, height and width")
    channels, height, breadth = input_shape
    return channels, height, breadth


def linear(inputs: int, outputs: int) -> nn.Linear:
    """Return a fully connected layer with zero biases."""
    layer = nn.Linear(inputs, outputs)
    nn.init.zeros_(layer.bias)
    return layer


def pool_first(stages: nn.Sequential) -> list[nn.Module]:
    """Return the modules of stages, in the order in which they run, with each ReLU after the max-pooling behind it.

    Both grow with their input, so that they may change places: outputs and gradients are the same bits, and the ReLU
    has a quarter of the values to look at, or less. Only the activations between them, which are those that a metric
    sees, are not there.
    """
    modules: list[nn.Module] = []
    for stage in stages:
        modules += stage if type(stage) is nn.Sequential else [stage]
    for index in range(1, len(modules)):
        if type(modules[index]) is nn.MaxPool2d and type(modules[index - 1]) is nn.ReLU:
            modules[index - 1], modules[index] = modules[index], modules[index - 1]
    return modules
