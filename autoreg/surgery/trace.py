"""A model is run once, operation by operation, to see which units it has and what becomes of them."""

from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from autoreg.errors import ConfigError, with_kind
from autoreg.networks import Network
from autoreg.networks.normalization import LocalResponseNorm
from autoreg.surgery.columns import Columns, Units
from autoreg.surgery.operations import Run, Use


@dataclass(frozen=True)
class Traced:
    """What is known of a model.

    Attributes:
        uses: its modules that are narrower where units are taken out, in the order of their calls.
        units: all its units.
        stages: of a `Network`, the columns of what each stage gives, if it has units.
        layers: those of its measured layers.
        called: paths of the modules that it runs in evaluation mode.
    """

    uses: list[Use]
    units: Units
    stages: dict[str, Columns]
    layers: dict[str, Columns]
    called: set[str]


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, LocalResponseNorm) or super().is_leaf_module(m, module_qualified_name)


def trace(model: nn.Module, example: Tensor) -> Traced:
    """Return what becomes of the units of a model in evaluation mode.

    Raises:
        ConfigError: `torch.fx` cannot trace it, or it cannot be run on the example.
    """
    name = type(model).__name__
    try:
        run = Run(fx.GraphModule(model, _Tracer().trace(model)))
    except Exception as error:  # fx knows many ways to fail, and the model is the user's: anything may go wrong in it
        raise ConfigError(f"{name} cannot be traced by torch.fx ({with_kind(error)})") from error
    try:
        with torch.inference_mode():
            run.run(example)
    except Exception as error:
        raise ConfigError(f"{name} cannot be run on the inputs, {tuple(example.shape)}: {with_kind(error)}") from error
    calls, measured = (_calls(model), model.measured) if isinstance(model, Network) else ({}, ())
    ends = {name: run.last.get(call) for name, call in calls.items()}
    stages = {name: run.columns[end] for name, end in ends.items() if end in run.columns}
    layers = {name: columns for name, columns in stages.items() if name in measured}
    return Traced(run.uses, run.units, stages, layers, run.called)


def _calls(network: Network) -> dict[str, str]:
    """Return which call of which module is each stage; one module may stand at several places."""
    calls: dict[str, str] = {}
    names: dict[nn.Module | None, str] = {}
    seen: Counter[nn.Module | None] = Counter()
    for name, stage in network.stages._modules.items():
        first = names.setdefault(stage, name)
        calls[name] = f"stages.{first}@{seen[stage]}" if seen[stage] else f"stages.{first}"
        seen[stage] += 1
    return calls
