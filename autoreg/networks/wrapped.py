"""Any PyTorch model as a `Network`: cut where all that the rest of the model sees is one activation."""

import copy
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn

from autoreg.errors import ConfigError, first_line
from autoreg.networks.activations import ACTIVATION_FUNCTIONS, ACTIVATION_METHODS, ACTIVATION_MODULES, IN_PLACE
from autoreg.networks.network import NORMALIZATIONS, Network
from autoreg.networks.unit_axis import MAPS


def wrap(model: nn.Module, example: Tensor) -> Network:
    """Return a model as a network whose measured layers are its activations, which `ablation` and `similarity` take.

    The model is traced by `torch.fx` in evaluation mode and cut at each value through which everything passes that
    comes after. Such a value is measured if an activation function made it; what lies within a branch, as the first
    activation of a residual block does, is not (paper, section 3). Names are those of the model's own modules, with
    underscores for dots.

    Args:
        model: any module of one input and one output, [examples, classes]. A copy is taken; the model stays as it is.
        example: one or more of its inputs, [examples, …]; the model is run on them to see what the cut one gives.

    Raises:
        ConfigError: the model cannot be traced, has no such layer, or the cut one gives something else.
    """
    own = copy_of(model).eval()
    if isinstance(own, Network):
        _require_same(own, own, example)
        return own
    for module in own.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]
    try:
        traced = fx.symbolic_trace(own)
    except Exception as error:  # fx knows many ways to fail, and the model is the user's: anything may go wrong in it
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise ConfigError(
            f"{type(model).__name__} cannot be traced by torch.fx; write its stages as a Network ({reason})"
        ) from error
    stages, measured = _stages(traced)
    if not measured:
        raise ConfigError(
            f"{type(model).__name__} has no hidden activation through which all that follows passes; "
            "write its stages as a Network"
        )
    network = Network(stages, measured).eval()
    _require_same(own, network, example)
    return network


def copy_of(model: nn.Module, *, shares_parameters: bool = False) -> nn.Module:
    """Return a copy of a model; of one that holds what cannot be copied, raise ConfigError."""
    shared: dict[int, Any] = {id(each): each for each in model.parameters()} if shares_parameters else {}
    try:
        return copy.deepcopy(model, shared)
    except Exception as error:
        raise ConfigError(f"{type(model).__name__} cannot be copied: {first_line(error)}") from error


def _stages(traced: fx.GraphModule) -> tuple[list[tuple[str, nn.Module]], list[str]]:
    """Return a model's stages and the names of those that end at an activation."""
    stages: dict[str, nn.Module] = {}
    measured: list[str] = []
    hidden: int | None = None  # how many come before the last map; what follows it are logits
    for nodes in _cuts(traced.graph):
        last = nodes[-1]
        name = str(last.target).replace(".", "_") if last.op == "call_module" else last.name
        if name in stages:  # a block may have one ReLU for all its activations
            name = last.name
        if hasattr(nn.Sequential, name):  # as `x.to(…)` is called, which no stage may be
            name += "_"
        stages[name] = _module_of(traced, nodes)
        if _is_activation(traced, last):
            measured.append(name)
        if any(_is_map(traced, node) for node in nodes):
            hidden = len(measured)
    return list(stages.items()), [name for name in measured[:hidden] if name != list(stages)[-1]]


def _cuts(graph: fx.Graph) -> Iterator[list[fx.Node]]:
    """Yield runs of nodes; the last of each is all that later nodes read of it and of what came before."""
    counts = _counts(graph)
    kept = [node for node in graph.nodes if node not in counts]
    computed = [node for node in kept if node.op not in ("placeholder", "get_attr", "output")]
    position = {node: index for index, node in enumerate(computed)}
    end = len(computed)
    last_read = {
        node: max((position.get(user, end) for user in node.users if user not in counts), default=-1)
        for node in graph.nodes
    }
    reach = max((last_read[node] for node in graph.nodes if node.op == "placeholder"), default=-1)
    run: list[fx.Node] = []
    for index, node in enumerate(computed):
        run.append(node)
        if reach <= index:
            yield run
            run = []
        reach = max(reach, last_read[node])
    if run:
        yield run


def _counts(graph: fx.Graph) -> set[fx.Node]:
    """Return the nodes that only ask how many examples there are, which every stage can see for itself."""
    counts: set[fx.Node] = set()
    for node in reversed(graph.nodes):
        of_size = node.target is operator.getitem and _is_size(node.args[0])
        is_count = (node.target == "size" and node.args[1:] == (0,)) or (of_size and node.args[1] == 0)
        is_size = _is_size(node) or of_size or node.target == "size"
        if is_count or (is_size and all(user in counts for user in node.users)):
            counts.add(node)
    return counts


def _is_size(node: Any) -> bool:
    return isinstance(node, fx.Node) and bool(
        (node.target == "size" and len(node.args) == 1) or (node.target is getattr and node.args[1] == "shape")
    )


def _is_map(traced: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a node multiplies by weights: a module with a matrix, or a function of one."""
    if node.op == "call_module":
        module = traced.get_submodule(str(node.target))
        is_matrix = any(parameter.ndim >= 2 for parameter in module.parameters())
        return bool(is_matrix) and not isinstance(module, NORMALIZATIONS)
    return bool(getattr(node.target, "__name__", node.target) in MAPS)


def _is_activation(traced: fx.GraphModule, node: fx.Node) -> bool:
    if node.op == "call_module":
        return isinstance(traced.get_submodule(str(node.target)), ACTIVATION_MODULES)
    return node.target in (ACTIVATION_FUNCTIONS if node.op == "call_function" else ACTIVATION_METHODS)


def _module_of(traced: fx.GraphModule, nodes: Sequence[fx.Node]) -> nn.Module:
    """Return a module that computes a run of nodes from the one value that it reads of earlier ones."""
    [first, *more] = nodes
    if first.op == "call_module" and len(first.args) == 1 and not (more or first.kwargs):
        return traced.get_submodule(str(first.target))  # as it is, since metrics know what pooling is
    graph = fx.Graph()
    taken: dict[fx.Node, fx.Node] = {}
    given = graph.placeholder("values")
    counts = _counts(first.graph)
    if any(source in counts for node in nodes for source in node.all_input_nodes):
        taken |= dict.fromkeys(counts, graph.call_method("size", (given, 0)))
    for node in nodes:
        for source in node.all_input_nodes:
            if source.op == "get_attr" and source not in taken:
                taken[source] = graph.node_copy(source)
        copied = graph.node_copy(node, lambda source: taken.get(source, given))
        if copied.op == "call_function":
            copied.target = IN_PLACE.get(copied.target, copied.target)
        if copied.op == "call_method":
            copied.target = str(copied.target).removesuffix("_")
        copied.kwargs = {**copied.kwargs, **({"inplace": False} if copied.kwargs.get("inplace") else {})}
        taken[node] = copied
    graph.output(taken[nodes[-1]])
    return fx.GraphModule(traced, graph)


@torch.inference_mode()
def _require_same(model: nn.Module, network: Network, example: Tensor) -> None:
    """Raise ConfigError if the model cut into stages is another, or works on the activations that it hands out."""
    try:
        expected = model(example)
        activations = dict(network.walk(example))
        before = [values.clone() for values in activations.values()]
        outputs = [network(example), *(network.after(layer)(values) for layer, values in activations.items())]
    except ConfigError:
        raise
    except Exception as error:  # whatever the user's model makes of the example
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise ConfigError(f"the model cannot be run on the inputs, {tuple(example.shape)}: {reason}") from error
    if not isinstance(expected, Tensor) or expected.ndim != 2:
        shape = tuple(expected.shape) if isinstance(expected, Tensor) else type(expected).__name__
        raise ConfigError(f"a model must give logits, [examples, classes], got {shape}")
    if expected.shape[1] < 2:  # all would be labelled alike
        raise ConfigError("a model must give a logit for each class, got one; of a logit z, give torch.cat([-z, z], 1)")
    near = 1e-4 * float(expected.nan_to_num(0, 0, 0).abs().max())

    def are_same(one: Tensor, other: Tensor, rtol: float, atol: float) -> bool:  # NaN is for metrics to refuse
        return torch.allclose(one, other, rtol=rtol, atol=atol, equal_nan=True)

    is_kept = all(are_same(values, kept, 0, 0) for values, kept in zip(activations.values(), before, strict=True))
    if not (is_kept and all(are_same(expected, logits, 1e-3, near) for logits in outputs)):
        raise ConfigError("the model gives other logits when it is cut into stages; write its stages as a Network")
