"""Any PyTorch model as a `Network`: cut where all that the rest of the model sees is one activation."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, fx, nn

from autoreg.errors import ConfigError, ModelWarning, with_kind
from autoreg.networks.cuts import Cuts
from autoreg.networks.given_model import Part, copied, keep_output, part_of, require_logits, unwrapped
from autoreg.networks.hooked import Hooked
from autoreg.networks.network import Network
from autoreg.networks.node_kinds import function_of, is_activation, is_map, is_plain, place_of

#: How many layers that are not measured are named.
_NAMED = 10


def wrap(model: nn.Module, example: Tensor, logits: Part | None = None, layers: Sequence[str] | None = None) -> Network:
    """Return a model as a network whose measured layers are its activations, which `ablation` and `similarity` take.

    The model is traced by `torch.fx` in evaluation mode and cut at each value through which everything passes that
    comes after. Such a value is measured if an activation function made it; what lies within a branch, as the first
    activation of a residual block does, is not (paper, section 3). Names are those of the model's own modules, with
    underscores for dots. What the model asks for of sizes and dtypes is what the example has, but for the number of
    examples.

    Args:
        model: any module of one input and one output, [examples, classes]. A copy is taken, of 16 bits one of 32; the
            model stays as it is.
        example: one or more of its inputs, [examples, …]; the model is run on them to see what the cut one gives.
        logits: which of its outputs they are, by key or place; None if it has one.
        layers: paths of the modules whose outputs are measured instead, by hooks (`autoreg.networks.hooked`); the model
            is neither traced nor cut.

    Raises:
        ConfigError: the model cannot be traced, has no such layer, or looks at several examples together; or the cut
            one gives something else.

    Warns:
        ModelWarning: between two layers of weights stands something, and nothing that is measured.
    """
    own = copied(unwrapped(model)).eval()
    if any(parameter.dtype in (torch.float16, torch.bfloat16) for parameter in own.parameters()):
        own, example = own.float(), example.float() if example.is_floating_point() else example
    with _running(example):
        expected = part_of(own(example.clone()), logits)  # before a network changes the layout of what they share
    for module in own.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]
    if layers is not None:
        hooked = Hooked(own, layers, logits).eval()
        _require_same(expected, hooked, example)
        return hooked
    if isinstance(own, Network):
        _require_same(expected, own, example)
        return own
    try:
        traced = fx.symbolic_trace(own)
    except Exception as error:  # fx knows many ways to fail, and the model is the user's: anything may go wrong in it
        reason = with_kind(error)
        raise ConfigError(
            f"{type(model).__name__} cannot be traced by torch.fx; name modules, layers=[…], or write its stages as a "
            f"Network ({reason})"
        ) from error
    keep_output(traced, logits)
    with _running(example):
        cuts = Cuts(traced, example)
    stages, measured, left_out = _stages(traced, cuts)
    if not measured:
        raise ConfigError(
            f"{type(model).__name__} has no hidden activation through which all that follows passes; "
            "name modules, layers=[…], or write its stages as a Network"
        )
    network = Network(stages, measured).eval()
    _require_same(expected, network, example)
    if left_out:
        count = f"{len(left_out)} of {len(left_out) + len(measured)} layers are not measured"
        names = ", ".join(left_out[:_NAMED]) + (", …" if len(left_out) > _NAMED else "")
        reason = "they end at no activation function of torch's through which all that follows passes"
        way = "layers=[…] measures modules by path"
        warnings.warn(ModelWarning(f"{type(model).__name__}: {count}, since {reason}; {way}: {names}"), stacklevel=3)
    return network


def _stages(traced: fx.GraphModule, cuts: Cuts) -> tuple[list[tuple[str, nn.Module]], list[str], list[str]]:
    """Return a model's stages, the names of those that end at an activation, and what else may end a layer.

    A layer is what follows a stage that multiplies by weights, until the next one.
    """
    stages: dict[str, nn.Module] = {}
    measured: list[str] = []
    left_out: list[str] = []
    hidden: int | None = None  # how many come before the last map; what follows it are logits
    layer, is_measured, earlier = list[fx.Node](), True, 0  # nothing before the first map is a layer
    before = next(node for node in traced.graph.nodes if node.op == "placeholder")
    for nodes in cuts.runs():
        last = nodes[-1]
        name = str(last.target).replace(".", "_") if last.op == "call_module" else last.name
        if name in stages:  # a block may have one ReLU for all its activations
            name = last.name
        if hasattr(nn.Sequential, name):  # as `x.to(…)` is called, which no stage may be
            name += "_"
        stages[name] = cuts.module(before, nodes)
        before = last
        has_map = any(is_map(traced, node) for node in nodes)
        if has_map:
            if not is_measured:
                left_out += _named(traced, layer)
            elif not earlier:  # no block within the model, but one that reads its inputs again
                left_out += [name for inner in _layers(traced, layer)[:-1] for name in _named(traced, inner)]
            layer, is_measured, earlier = [], False, len(measured) + len(left_out)
        layer += nodes
        if is_activation(traced, last) and (has_map or hidden is not None):  # before the first map they are inputs
            if is_measured:  # a layer ends once, at its last activation
                measured.pop()
            measured.append(name)
            is_measured = True
        if has_map:
            hidden = len(measured)
    return list(stages.items()), [name for name in measured[:hidden] if name != list(stages)[-1]], left_out


def _layers(traced: fx.GraphModule, nodes: Sequence[fx.Node]) -> list[list[fx.Node]]:
    """Return what follows each map among some nodes, up to the next one."""
    layers: list[list[fx.Node]] = []
    for node in nodes:
        if is_map(traced, node):
            layers.append([])
        elif layers:
            layers[-1].append(node)
    return layers


def _named(traced: fx.GraphModule, layer: Sequence[fx.Node]) -> list[str]:
    """Return a text that names what is not known to end no layer, or nothing if there is no such node."""
    others = [node for node in layer if not is_plain(traced, node)]
    functions = ", ".join(dict.fromkeys(function_of(traced, node) for node in others))
    return [f"{place_of(others[0])} ({functions})"] if others else []


@contextmanager
def _running(example: Tensor) -> Iterator[None]:
    try:
        with torch.inference_mode():
            yield
    except ConfigError:
        raise
    except Exception as error:  # whatever the user's model makes of the example
        raise ConfigError(
            f"the model cannot be run on the inputs, {tuple(example.shape)}: {with_kind(error)}"
        ) from error


@torch.inference_mode()
def _require_same(expected: Any, network: Network, example: Tensor) -> None:
    """Raise ConfigError if a network gives something else, or works on the activations that it hands out."""
    with _running(example[:1]):
        alone = network(example[:1])
    with _running(example):
        activations = dict(network.walk(example))
        before = [values.clone() for values in activations.values()]
        logits = network(example)
        flipped = network(example.flip(0))  # what a stage remembers of a call is of other examples now
        outputs = [logits, *(network.after(layer)(values) for layer, values in activations.items())]
    require_logits(expected)
    near = 1e-4 * float(expected.nan_to_num(0, 0, 0).abs().max())

    def are_same(one: Tensor, other: Tensor, rtol: float, atol: float) -> bool:  # NaN is for metrics to refuse
        return torch.allclose(one, other, rtol=rtol, atol=atol, equal_nan=True)

    is_kept = all(are_same(values, kept, 0, 0) for values, kept in zip(activations.values(), before, strict=True))
    if not (is_kept and all(are_same(expected, found, 1e-3, near) for found in outputs)):
        if isinstance(network, Hooked):
            names = ", ".join(network.measured)
            raise ConfigError(f"the model reads more than the first output of a measured module, of {names}")
        raise ConfigError(
            "the model gives other logits when it is cut into stages; name modules, layers=[…], or write its stages as "
            "a Network"
        )
    is_alone = alone.shape == expected[:1].shape and are_same(expected[:1], alone, 1e-3, near)
    if not (is_alone and are_same(expected.flip(0), flipped, 1e-3, near)):
        raise ConfigError("the logits of an example must not depend on the others that are passed with it")
