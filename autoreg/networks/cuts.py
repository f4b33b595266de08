"""Cuts a traced model where all that the rest of it sees is one tensor, and makes a module of what lies between."""

import operator
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, fx, nn
from typing_extensions import override

from autoreg.networks.activations import IN_PLACE

#: What asks a tensor for no value of it.
_METHODS = {"size", "dim", "ndimension", "numel", "nelement"}
_ATTRIBUTES = {"shape", "ndim", "dtype", "device"}


class _Seen(fx.Interpreter):
    """Runs a model and keeps how many values each tensor has, and what is no tensor: sizes, kinds and numbers."""

    def __init__(self, traced: fx.GraphModule, example: Tensor) -> None:
        super().__init__(traced)
        self.numels: dict[fx.Node, int] = {}
        self.values: dict[fx.Node, Any] = {}
        self.run(example)

    @override
    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if isinstance(value, Tensor):
            self.numels[n] = value.numel()
        elif _is_of_numbers(value):
            self.values[n] = value
        return value


class Cuts:
    """Where a traced model can be cut.

    Sizes stand in no way of a cut: they are those of the example, or a multiple of how many examples there are, which
    every part can see for itself. Dtypes and devices are those of the example.

    Args:
        traced: the model, in evaluation mode.
        example: inputs, [examples, …]; others must have their shape, but for how many they are.
    """

    def __init__(self, traced: fx.GraphModule, example: Tensor) -> None:
        self._traced = traced
        once, twice = _Seen(traced, example), _Seen(traced, torch.cat([example, example]))
        self._numels = once.numels
        self._sizes: dict[fx.Node, tuple[Any, Any]] = {}  # of the example, and of twice as many
        for node in traced.graph.nodes:
            values = (once.values.get(node), twice.values.get(node))
            if self._asks(node) and _follows_count(*values):
                self._sizes[node] = values

    def runs(self) -> Iterator[list[fx.Node]]:
        """Yield runs of nodes; the last of each is all that later nodes read of it and of what came before."""
        kept = [node for node in self._traced.graph.nodes if node not in self._sizes]
        computed = [node for node in kept if node.op not in ("placeholder", "get_attr", "output")]
        position = {node: index for index, node in enumerate(computed)}
        end = len(computed)
        last_read = {
            node: max((position.get(user, end) for user in node.users if user not in self._sizes), default=-1)
            for node in kept
        }
        reach = max((last_read[node] for node in kept if node.op == "placeholder"), default=-1)
        run: list[fx.Node] = []
        for index, node in enumerate(computed):
            run.append(node)
            if reach <= index and node in self._numels:
                yield run
                run = []
            reach = max(reach, last_read[node])
        if run:
            yield run

    def module(self, before: fx.Node, nodes: Sequence[fx.Node]) -> nn.Module:
        """Return a module that computes a run of nodes from the one tensor that it reads of earlier ones.

        Args:
            before: the node that gives this tensor.
            nodes: the run.
        """
        [first, *more] = nodes
        if first.op == "call_module" and len(first.args) == 1 and not (more or first.kwargs):
            return self._traced.get_submodule(str(first.target))  # as it is, since metrics know what pooling is
        graph = fx.Graph()
        given = graph.placeholder("values")
        taken: dict[fx.Node, Any] = {}
        for node in nodes:
            for source in node.all_input_nodes:
                if source.op == "get_attr" and source not in taken:
                    taken[source] = graph.node_copy(source)
                elif source in self._sizes and source not in taken:
                    taken[source] = _written(graph, given, self._numels[before], *self._sizes[source])
            copied = graph.node_copy(node, lambda source: taken.get(source, given))
            if copied.op == "call_function":
                copied.target = IN_PLACE.get(copied.target, copied.target)
            if copied.op == "call_method":
                copied.target = str(copied.target).removesuffix("_")
            if copied.target == "view" and not isinstance(copied.args[1], torch.dtype):
                copied.target = "reshape"  # a network's images have another layout than the model's
            copied.kwargs = {**copied.kwargs, **({"inplace": False} if copied.kwargs.get("inplace") else {})}
            taken[node] = copied
        graph.output(taken[nodes[-1]])
        return fx.GraphModule(self._traced, graph)

    def _asks(self, node: fx.Node) -> bool:
        """Whether a node asks a tensor for its size, dtype or device, or computes with such answers alone."""
        if node.op == "call_method":
            return node.target in _METHODS
        if node.target is getattr and node.args[1] in _ATTRIBUTES:
            return True
        sources = node.all_input_nodes
        return node.op == "call_function" and bool(sources) and all(source in self._sizes for source in sources)


def _is_of_numbers(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_of_numbers, value))
    return isinstance(value, int | float | torch.dtype | torch.device)


def _follows_count(once: Any, twice: Any) -> bool:
    """Whether a value is the same for any number of examples, or so many times as large."""
    if isinstance(once, tuple) and isinstance(twice, tuple):
        return len(once) == len(twice) and all(map(_follows_count, once, twice))
    return once is not None and (once == twice or (isinstance(once, int) and twice == 2 * once))


def _written(graph: fx.Graph, given: fx.Node, numel: int, once: Any, twice: Any) -> Any:
    """Return a value as an argument: as it is, or a share of how many values are given, so many of the example."""
    if isinstance(once, tuple):
        return tuple(_written(graph, given, numel, *values) for values in zip(once, twice, strict=True))
    if once == twice:
        return once
    share = Fraction(once, numel)
    count = graph.call_function(operator.mul, (graph.call_method("numel", (given,)), share.numerator))
    return graph.call_function(operator.floordiv, (count, share.denominator))
