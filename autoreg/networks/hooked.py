"""A model that is run as a whole: its units are measured and dropped by hooks, also where it cannot be cut."""

import difflib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from autoreg.errors import ConfigError
from autoreg.networks.given_model import Part, part_of
from autoreg.networks.network import Network
from autoreg.networks.unit_axis import UnitWatch

#: By layer, what acts on its activations, [batch, units, …].
Actions = Mapping[str, Callable[[Tensor], Tensor]]
#: Stages whose names no layer has.
_INPUTS, _OUTPUT = "the inputs", "the output"


class Hooked(Network):
    """A model whose measured layers are the outputs of named modules.

    All that follows sees what is made of these outputs, by whatever way it reads them. Nothing else is known of the
    model, so that each set of dropped units takes a run of all of it. Of a module that gives several tensors, the first
    is measured; the others are NaN where something acts on it, so that nothing goes past it.

    Args:
        model: in evaluation mode; it gets hooks.
        layers: paths of its modules. `path:1` is the second run of a module that is run several times for an input, as
            the only ReLU of a block is. Names are the paths, with underscores for dots and colons.
        logits: which of its outputs they are, by key or place; None if it has one.

    Raises:
        ConfigError: there are no layers, one stands there twice, or the model has no such module.
    """

    def __init__(self, model: nn.Module, layers: Sequence[str], logits: Part | None = None) -> None:
        names = [layer.replace(".", "_").replace(":", "_") for layer in layers]
        if not names or len(set(names)) < len(names) or isinstance(layers, str):
            raise ConfigError(f"layers are paths of modules, each once, got {layers!r}")
        # Who watches stages (`autoreg.metrics.finite`) sees the inputs and each layer pass through one of its name.
        passed = [(name, nn.Identity()) for name in (_INPUTS, *names)]
        super().__init__([*passed, (_OUTPUT, _Logits(model, logits))], names)
        self.to(memory_format=torch.contiguous_format)  # a model may ask for a view
        self._calls = Counter[str]()
        self._actions: Actions = {}
        self._seen: dict[str, Tensor] = {}
        self._named_runs: dict[str, int] = {}
        self._inputs: Tensor | None = None
        modules = dict(model.named_modules(remove_duplicate=False))
        for name, layer in zip(names, layers, strict=True):
            path, _, run = layer.partition(":")
            if not path or path not in modules or (":" in layer and not run.isdigit()):
                near = ", ".join(difflib.get_close_matches(layer, modules, n=5, cutoff=0))
                raise ConfigError(f"{type(model).__name__} has no module {layer!r} (near it: {near})")
            if run:
                self._named_runs[name] = int(run)
            modules[path].register_forward_hook(partial(self._pass, name))

    @override
    def forward(self, inputs: Tensor) -> Tensor:
        self.stages.get_submodule(_INPUTS)(inputs)
        return self._run(inputs, {})

    @override
    def walk(self, inputs: Tensor) -> Iterator[tuple[str, Tensor]]:
        watch = UnitWatch()
        with watch:
            self(inputs)
        self._inputs, seen, self._seen = inputs, self._seen, {}
        for name in self.measured:
            runs = self._calls[name]
            if name not in seen or (runs > 1 and name not in self._named_runs):
                way = "; path:0 is its first run" if runs > 1 else ""
                raise ConfigError(f"layer {name!r} must be run once for each input, got {runs} runs{way}")
            values = seen.pop(name)
            if len(values) != len(inputs):
                shape = tuple(values.shape)
                raise ConfigError(f"layer {name!r}: dimension 0 of activations is the examples, got {shape}")
            self._unit_axis[name] = watch.axis_of(name, values)
            yield name, values.movedim(self._unit_axis[name], 1)

    @override
    def after(self, layer: str) -> nn.Sequential:
        return nn.Sequential(_After(self, layer))

    def acting(self, actions: Actions) -> Tensor:
        """Return logits of the last walk's inputs, [batch, classes], where something acts on layers' activations."""
        assert self._inputs is not None
        return self._run(self._inputs, actions)

    def _run(self, inputs: Tensor, actions: Actions) -> Tensor:
        self._actions, self._seen, self._calls = actions, {}, Counter()
        logits: Tensor = self.stages.get_submodule(_OUTPUT)(inputs)
        return logits

    def _pass(self, name: str, _module: nn.Module, _inputs: Any, output: Any) -> Any:
        self._calls[name] += 1
        if self._calls[name] - 1 != self._named_runs.get(name, 0):
            return None
        values, *others = output if isinstance(output, tuple) else (output,)
        if not isinstance(values, Tensor):
            raise ConfigError(f"layer {name!r}: a module must give a tensor first, got {type(values).__name__}")
        if self._actions:
            if name not in self._actions:
                return None
            axis = self._unit_axis[name]
            values = self._actions[name](values.movedim(axis, 1)).movedim(1, axis)
            return (values, *map(_hidden, others)) if isinstance(output, tuple) else values
        self._seen[name] = self.stages.get_submodule(name)(values).clone()  # which the model may work on
        return None


class _Logits(nn.Module):
    """Gives the logits among what a model gives."""

    def __init__(self, model: nn.Module, part: Part | None) -> None:
        super().__init__()
        self.model, self.part = model, part

    @override
    def forward(self, inputs: Tensor) -> Any:
        return part_of(self.model(inputs), self.part)


class _After(nn.Module):
    """Gives the logits of a layer's activations, with the inputs of the last walk."""

    def __init__(self, network: Hooked, layer: str) -> None:
        super().__init__()
        self.network, self.layer = network, layer

    @override
    def forward(self, values: Tensor) -> Tensor:
        return self.network.acting({self.layer: lambda _: values.clone()})  # which the model may work on


def _hidden(output: Any) -> Any:
    """Return a module's further output with NaN for its fractions."""
    if isinstance(output, tuple | list):
        return type(output)(map(_hidden, output))
    is_hidden = isinstance(output, Tensor) and output.is_floating_point()
    return torch.full_like(output, torch.nan) if is_hidden else output
