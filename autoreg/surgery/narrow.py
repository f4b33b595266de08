"""A model becomes narrower: each of its modules keeps the inputs and outputs that a layout names."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from autoreg.errors import ConfigError, with_kind
from autoreg.networks.given_model import copied
from autoreg.surgery.constant import ConstantUnit
from autoreg.surgery.known import LOCAL_RESPONSE_NORMS, MAPS
from autoreg.surgery.placed_lrn import PlacedLRN
from autoreg.surgery.sites import Cut, Mend, Read

#: What narrows a model, in JSON: `kept`, units of each site; `modules`, by path; `without`, paths of modules that
#: evaluation does not run. Of a module: its `kind` and its `sizes` before; the `inputs` and `outputs` that it keeps, of
#: all where null; whether it gets a `bias`, or a `constant` unit to read.
Layout = dict[str, Any]

_SIZES = ("in_features", "in_channels", "out_features", "out_channels", "num_features", "num_parameters")


def narrow_like(model: nn.Module, layout: Mapping[str, Any]) -> nn.Module:
    """Return a copy of a model in evaluation mode, of the shapes to which another of its class was narrowed.

    With the state of that one it computes the same.

    Args:
        model: as the other one was before; it is not changed.
        layout: as `autoreg.surgery.anatomy.Anatomy.layout` gave it.

    Raises:
        ConfigError: the layout is that of another model, or damaged.
    """
    narrower = copied(model)
    like = next(narrower.parameters(), torch.zeros(()))
    try:
        for path in layout["without"]:
            narrower.get_submodule(path)
            _replace(narrower, path, None)
        for path, entry in layout["modules"].items():
            module = narrower.get_submodule(path)
            if parametrize.is_parametrized(module):
                _make_plain(module)
            here = {"kind": type(module).__name__, "sizes": _sizes(module)}
            if any(entry[key] != here[key] for key in here):
                was = f"{entry['kind']} of {entry['sizes']}"
                raise ConfigError(f"{path} is a {here['kind']} of {here['sizes']}, in what was narrowed a {was}")
            _replace(narrower, path, _narrowed(module, entry, like))
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ConfigError(f"the layout is that of another model, or damaged ({with_kind(error)})") from error
    return narrower.eval()  # with the modules that are new


def entry_of(module: nn.Module, inputs: Tensor | None, outputs: Tensor, bias: bool, constant: bool) -> Layout:
    """Return a module's entry of a layout."""
    return {
        "kind": _plain_class(module).__name__,
        "sizes": _sizes(module),
        "inputs": None if inputs is None else inputs.tolist(),
        "outputs": outputs.tolist(),
        "bias": bias,
        "constant": constant,
    }


@torch.no_grad()
def mend(narrower: nn.Module, original: nn.Module, entry: Layout, reads: Iterable[tuple[Read, Cut, Mend]]) -> None:
    """Give a narrower map the weights by which it reads what stands for the removed units; sums are float64."""
    before: Any = original.weight
    weight = before[entry["outputs"]].double()  # [outputs, inputs, kernel…]
    mended, offset = weight.clone(), torch.zeros_like(weight[:, 0])
    for read, cut, mend in reads:
        columns = read.columns()
        kept, removed = columns[cut.kept.cpu()], columns[cut.removed(len(columns))]
        mended[:, removed] = 0
        if mend.matrix.any() or mend.offset.any():
            gone = weight[:, removed]  # [outputs, removed, positions, kernel…]
            mended[:, kept] += torch.einsum("orp...,rk->okp...", gone, mend.matrix.to(weight))
            offset += torch.einsum("orp...,r->o...", gone, mend.offset.to(weight))
    plain: Any = narrower.convolution if isinstance(narrower, ConstantUnit) else narrower
    plain.weight.copy_(mended[:, entry["inputs"]])
    if isinstance(narrower, ConstantUnit):
        narrower.constant.weight.copy_(offset[:, None])
    elif plain.bias is not None:
        plain.bias.copy_(plain.bias.double() + offset.reshape(len(offset), -1).sum(1))


def _plain_class(module: nn.Module) -> type[nn.Module]:
    return type(module).__mro__[1] if parametrize.is_parametrized(module) else type(module)


def _make_plain(module: nn.Module) -> None:
    """Make parameters of what parametrizations compute; PyTorch's own way to do so changes all copies of a module."""
    values = {name: getattr(module, name) for name in module.get_submodule("parametrizations")._modules}
    module.__class__ = _plain_class(module)
    del module.parametrizations
    for name, each in values.items():
        setattr(module, name, nn.Parameter(each.detach()))


def _sizes(module: nn.Module) -> list[int]:
    return [getattr(module, name) for name in _SIZES if hasattr(module, name)]


def _replace(model: nn.Module, path: str, module: nn.Module | None) -> None:
    parent, _, name = path.rpartition(".")
    setattr(model.get_submodule(parent), name, module)


def _narrowed(module: nn.Module, entry: Mapping[str, Any], like: Tensor) -> nn.Module:
    """Return a module that keeps some inputs and outputs: itself, but for what needs another one."""
    inputs, outputs = entry["inputs"], entry["outputs"]
    for kept, sizes in ((inputs, _sizes(module)[:1]), (outputs, _sizes(module)[-1:])):
        if kept is not None and not (kept and all(0 <= place < size for place in kept for size in sizes)):
            raise IndexError(f"no such places: {kept[:3]} … of {sizes}")
    if isinstance(module, LOCAL_RESPONSE_NORMS):
        return PlacedLRN(module, outputs).to(like.device, like.dtype)
    return _narrower_map(module, entry) if isinstance(module, MAPS) else _narrower_unit_module(module, outputs)


def _narrower_unit_module(module: nn.Module, units: list[int]) -> nn.Module:
    for name, values in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
        if values.ndim:
            _set(module, name, values[units])
    setattr(module, "num_features" if hasattr(module, "num_features") else "num_parameters", len(units))
    return module


def _narrower_map(module: Any, entry: Mapping[str, Any]) -> nn.Module:
    inputs, outputs = entry["inputs"], entry["outputs"]
    weight = module.weight[outputs]
    if getattr(module, "groups", 1) > 1:  # depthwise
        module.groups = len(inputs)
    elif inputs is not None:
        weight = weight[:, inputs]
    if module.bias is not None:
        _set(module, "bias", module.bias[outputs])
    elif entry["bias"]:
        module.bias = nn.Parameter(weight.new_zeros(len(outputs)))
    _set(module, "weight", weight)
    kind = "features" if isinstance(module, nn.Linear) else "channels"
    setattr(module, f"out_{kind}", len(outputs))
    if inputs is not None:
        setattr(module, f"in_{kind}", len(inputs))
    narrower: nn.Module = ConstantUnit(module) if entry["constant"] else module
    return narrower


def _set(module: nn.Module, name: str, values: Tensor) -> None:
    """Set a parameter or a buffer, in the memory layout of the one before."""
    before: Tensor = getattr(module, name)
    if before.ndim == 4 and before.is_contiguous(memory_format=torch.channels_last):
        values = values.contiguous(memory_format=torch.channels_last)
    setattr(module, name, nn.Parameter(values.detach()) if isinstance(before, nn.Parameter) else values.detach())
