"""A network as a sequence of named stages, some of which are measured."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, Self

import torch
from torch import Tensor, fx, nn
from torch.nn import functional
from torch.nn.utils.parametrize import is_parametrized
from typing_extensions import override

from autoreg.errors import ConfigError
from autoreg.networks.auxiliary import Auxiliary
from autoreg.networks.compiled import Kernel
from autoreg.networks.fused import fused
from autoreg.networks.less_initial import LessInitial
from autoreg.networks.pool_first import pool_first
from autoreg.networks.scale import Scale
from autoreg.networks.unit_axis import MoveUnits, UnitWatch
from autoreg.registry import Registry

#: (width, input_shape, classes, dropout, *, options…) -> Network
networks: Registry[Callable[..., "Network"]] = Registry("network", "width", "input_shape", "classes", "dropout")

#: Weights are those of linear and convolutional maps; of the others, those of normalisation are told from biases.
ParameterKind = Literal["weights", "biases", "normalization"]

MAPS = (nn.Linear, nn.modules.conv._ConvNd)
NORMALIZATIONS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


class Network(nn.Module):
    """A network that holds its stages in order and names the measured ones.

    A measured stage ends at the activation that is measured (paper, section 3); pooling, normalisation, dropout and
    flattening are stages of their own after it. Units are the features of the module that made the activation
    (`autoreg.networks.unit_axis`).

    Args:
        stages: pairs of a name and a module; the output of each is the input of the next.
        measured: names of the measured stages, in order. The last stage gives the logits and is never measured.
        decayed: names of the stages that are subject to weight decay; None means all of them and the auxiliary.
        decayed_kinds: which parameters of these stages are.
        auxiliary: a classifier of a hidden stage that takes part in `loss` only.

    Attributes:
        scales: how each parameter grows with the width, by its name; none in the standard parametrization.
        initial: the network before its first training step, where it is remembered.
        richness: γ, if logits are (f − f₀) / γ (`autoreg.networks.richness`).

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
        self._unit_axis: dict[str, int] = {}  # by layer, as the last walk found it
        self.initial: Network | None = None
        self.scales: Mapping[str, Scale] = {}
        self.richness: float | None = None
        self._walked: nn.Module | None = None  # what logits of the last walk's inputs go through
        if all(parameter.ndim <= 4 for parameter in self.parameters()):  # PyTorch's volumes have a layout of their own
            self.to(memory_format=torch.channels_last)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits, [batch, classes]."""
        logits: Tensor = self.stages(_channels_last(inputs))
        return logits if self.richness is None else self.compared(inputs)(logits)

    #: By which `loss` computes what it can; set where it pays (`autoreg.training.fast_path`).
    training_kernel: Kernel | None = None

    def in_training_order(self, kernel: Kernel | None) -> list[nn.Module]:
        """Return the modules that `loss` runs one after another, those that a kernel computes fused into one."""
        modules = pool_first(self.stages)
        return fused(modules, kernel) if kernel else modules

    def loss(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits, [batch, classes], and what training minimises: their mean cross-entropy.

        An auxiliary classifier adds its own, times its weight. Nothing else runs it.
        """
        if self.auxiliary is None:
            logits = _channels_last(inputs)
            for module in self.in_training_order(self.training_kernel):
                logits = module(logits)
            logits = self.compared(inputs)(logits)
            return logits, functional.cross_entropy(logits, labels)
        split = self._index[self.auxiliary.layer] + 1
        activations = self.stages[:split](_channels_last(inputs))
        logits = self.stages[split:](activations)
        beside = functional.cross_entropy(self.auxiliary(activations), labels)
        return logits, functional.cross_entropy(logits, labels) + self.auxiliary.weight * beside

    def remember(self, initial: "Network") -> None:
        """Let `initial` be this network before its first training step. It is no part of it: no state_dict has it."""
        self.__dict__["initial"] = initial

    def train_from(self, initial: "Network", richness: float) -> None:
        """Have logits be (f − f₀) / γ from now on, f₀ being `initial`, on the same device, and γ the richness."""
        self.remember(initial.eval())
        self.richness = richness

    def compared(self, inputs: Tensor) -> nn.Module:
        """Return what makes logits of what the stages compute of some inputs; without a richness it is the same."""
        if self.richness is None or self.initial is None:
            return nn.Identity()
        return LessInitial(self.initial, self.richness, inputs)

    @override
    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        if self.richness is not None and self.initial is not None:
            self.initial._apply(fn, recurse)
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call, no-any-return]

    def walk(self, inputs: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Yield (layer, activations) of each measured layer during one forward pass; activations are [batch, units, …].

        The stages after the last measured one are not run; `after(layer)(activations)` gives the logits.

        Raises:
            ConfigError: it is not known which dimension of a layer's activations is the units, or the first one is not
                the examples.
        """
        last = self._index[self.measured[-1]]
        activations, watch = _channels_last(inputs), UnitWatch()
        if self.richness is not None:
            self.__dict__["_walked"] = self.compared(inputs)  # no part of it
        for name, stage in list(self.stages._modules.items())[: last + 1]:  # also one that stands there twice
            assert stage is not None
            with watch:
                activations = stage(activations)
            if name in self.measured:
                self._unit_axis[name] = watch.axis_of(name, activations)
                if activations.shape[0] != len(inputs):
                    shape = tuple(activations.shape)
                    raise ConfigError(f"layer {name!r}: dimension 0 of activations is the examples, got {shape}")
                yield name, activations.movedim(self._unit_axis[name], 1)

    def after(self, layer: str) -> nn.Sequential:
        """Return the rest of the network after a layer, of activations as `walk` gives them, sharing its parameters.

        With a richness they are of the inputs of the last walk, whose f₀ is subtracted.
        """
        onwards = self.stages[self._index[layer] + 1 :]
        return self._from_units(layer, nn.Sequential(*onwards, self._walked) if self._walked is not None else onwards)

    def between(self, layer: str, other: str) -> nn.Sequential:
        """Return the stages after `layer`, up to and with `other`, from units to units, sharing their parameters."""
        stages = self._from_units(layer, self.stages[self._index[layer] + 1 : self._index[other] + 1])
        return stages if self._unit_axis.get(other, 1) == 1 else nn.Sequential(*stages, MoveUnits(-1, 1))

    def _from_units(self, layer: str, stages: nn.Sequential) -> nn.Sequential:
        return stages if self._unit_axis.get(layer, 1) == 1 else nn.Sequential(MoveUnits(1, -1), *stages)

    def maps(self) -> list[tuple[str, nn.Module]]:
        """Return (stage, module) of every linear or convolutional map, in the order in which the input meets them.

        Those of an auxiliary classifier, whose stage is called `auxiliary`, stand before the output layer's.

        Raises:
            ConfigError: a weight is what a hook or a parametrization makes of others, and cannot be set.
        """
        met = [(name, each) for name, stage in self._parts() for each in stage.modules() if isinstance(each, MAPS)]
        last = {id(module): place for place, (_, module) in enumerate(met)}  # one that stands twice is drawn once
        maps: list[tuple[str, nn.Module]] = [met[place] for place in sorted(last.values())]
        for name, module in maps:
            if "weight" not in module._parameters and not _can_be_set(module):
                kind = type(module).__name__
                raise ConfigError(
                    f"stage {name!r}: the weight of its {kind} cannot be set; use torch.nn.utils.parametrizations, or "
                    "one with a right_inverse"
                )
        return maps

    def decayed_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that weight decay acts on."""
        weights = {id(weight_of(module)) for _, module in self.maps()}
        return [
            parameter
            for name, stage in self._parts()
            if name in self.decayed
            for module in stage.modules()
            for parameter in module.parameters(recurse=False)
            if ("weights" if id(parameter) in weights else _other_kind(module)) in self.decayed_kinds
        ]

    def _parts(self) -> list[tuple[str, nn.Module]]:
        *hidden, output = self.stages._modules.items()
        return [*hidden, *([("auxiliary", self.auxiliary)] if self.auxiliary is not None else []), output]


def _can_be_set(module: nn.Module) -> bool:
    """Whether a map's weight is parametrized by what can take any value for it."""
    return is_parametrized(module, "weight") and all(
        hasattr(parametrization, "right_inverse")
        for parametrization in module.get_submodule("parametrizations.weight").children()
    )


def weight_of(module: nn.Module) -> nn.Parameter:
    """Return a map's weight; of a parametrized one the largest part, the last of equals: a weight norm's directions."""
    if not is_parametrized(module, "weight"):
        return module.get_parameter("weight")
    parts = module.get_submodule("parametrizations.weight").parameters(recurse=False)
    return max(reversed(list(parts)), key=Tensor.numel)


def _other_kind(module: nn.Module) -> ParameterKind:
    return "normalization" if isinstance(module, NORMALIZATIONS) else "biases"


def _channels_last(inputs: Tensor) -> Tensor:
    # Convolutions on a CPU run up to twice as fast in this layout; the numbers and the shapes are the same.
    return inputs.contiguous(memory_format=torch.channels_last) if inputs.ndim == 4 else inputs


fx.wrap("_channels_last")  # which asks for the rank, as what is traced cannot


def linear(inputs: int, outputs: int) -> nn.Linear:
    """Return a fully connected layer with zero biases."""
    layer = nn.Linear(inputs, outputs)
    nn.init.zeros_(layer.bias)
    return layer
