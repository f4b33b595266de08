"""A model as somebody has it: what stands around it, where it is, a copy of it, and which outputs are its logits."""

import copy
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.parallel import DistributedDataParallel

from autoreg.errors import ConfigError, first_line

#: The name of a logits output's key, or its place.
Part = str | int


def require_logits(logits: object) -> None:
    """Raise ConfigError unless a model's output is a logit for each of several classes."""
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        shape = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ConfigError(f"a model must give logits, [examples, classes], got {shape}")
    if logits.shape[1] < 2:  # all would be labelled alike
        raise ConfigError("a model must give a logit for each class, got one; of a logit z, give torch.cat([-z, z], 1)")


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the model itself out of `DataParallel`, `DistributedDataParallel` and `torch.compile`."""
    while True:
        if isinstance(model, nn.DataParallel | DistributedDataParallel):
            model = model.module
        elif isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):
            model = inner
        else:
            return model


def device_and_type(model: nn.Module) -> tuple[torch.device, torch.dtype]:
    """Return where a model's parameters are, and of which type; of one without any, the CPU and float32.

    Raises:
        ConfigError: it is no model, or has no weights yet.
    """
    if not isinstance(model, nn.Module):
        raise ConfigError(f"a model is a torch.nn.Module, got {type(model).__name__}")
    if any(each.is_meta for each in model.parameters()):
        raise ConfigError("a model has weights, got one on the meta device: load them first")
    first = next(model.parameters(), torch.empty(0, dtype=torch.float32, device="cpu"))
    return first.device, first.dtype


def copied(model: nn.Module, *, shares_parameters: bool = False) -> nn.Module:
    """Return a copy of a model. Raises ConfigError if it holds what cannot be copied.

    Weights that a hook works out of others, as pruning and weight normalization do, are copied as values.
    """
    held = (value for module in model.modules() for value in vars(module).values())
    derived: dict[int, Any] = {
        id(value): value.detach().clone() for value in held if isinstance(value, Tensor) and not value.is_leaf
    }
    if shares_parameters:
        derived |= {id(each): each for each in model.parameters()}
    try:
        return copy.deepcopy(model, derived)
    except Exception as error:
        raise ConfigError(f"{type(model).__name__} cannot be copied: {first_line(error)}") from error


def part_of(outputs: Any, part: Part | None) -> Any:
    """Return the logits among what a model gives, if they are one of several. Raises ConfigError if it has no such."""
    if part is None:
        if isinstance(outputs, dict | tuple | list):
            raise ConfigError(
                f"a model must give logits, [examples, classes], got {_parts(outputs)}: logits=… names it"
            )
        return outputs
    try:
        if isinstance(outputs, Tensor):  # whose parts are examples
            raise TypeError
        return outputs[part]
    except (KeyError, IndexError, TypeError) as error:
        raise ConfigError(f"the model has no output {part!r}; it gives {_parts(outputs)}") from error


def keep_output(traced: fx.GraphModule, part: Part | None) -> None:
    """Have a traced model give nothing but its logits."""
    if part is not None:
        output = next(node for node in traced.graph.nodes if node.op == "output")
        output.args = (part_of(output.args[0], part),)
        traced.graph.eliminate_dead_code()
        traced.recompile()


def _parts(outputs: Any) -> str:
    if isinstance(outputs, dict):
        return f"a dict of {', '.join(map(repr, outputs))}"
    return f"a {type(outputs).__name__}" + (f" of {len(outputs)}" if isinstance(outputs, tuple | list) else "")
