"""What each operation does to units: they pass through it one by one, are tied, are mixed, or it is not known."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, fx, nn
from typing_extensions import override

from autoreg.networks.node_kinds import name_of
from autoreg.networks.pool_first import has_hooks
from autoreg.surgery import known
from autoreg.surgery.columns import Columns, Units

#: Why logits stay whole.
OUTPUT = "the model gives them"


@dataclass(frozen=True)
class Use:
    """A module that is narrower where units are taken out.

    Attributes:
        path: of the module.
        mixes: whether it is a map, which reads its inputs and makes its outputs; else units pass through it.
        inputs: columns of its input; None if they are no units.
        outputs: columns of its output.
    """

    path: str
    mixes: bool
    inputs: Columns | None
    outputs: Columns


class Run(fx.Interpreter):
    """Runs a graph and follows the columns of each value.

    Attributes:
        units: all units that were met.
        uses: modules that are narrower where units are taken out.
        called: paths of all modules that ran, or of which a parameter was read.
        columns: of each value that has units.
        last: the last node within each module, by its path, for further calls with @1, @2, ….
    """

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.units = Units()
        self.uses: list[Use] = []
        self.called: set[str] = set()
        self.columns: dict[fx.Node, Columns] = {}
        self.last: dict[str, fx.Node] = {}
        self._shapes: dict[fx.Node, tuple[int, ...]] = {}

    @override
    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if isinstance(result, Tensor):
            self._shapes[n] = tuple(result.shape)
        self.last |= dict.fromkeys(n.meta.get("nn_module_stack", {}), n)
        if n.op == "get_attr":
            self.called.add(str(n.target).rpartition(".")[0])
        columns = None
        if n.op == "call_module":
            columns = self._module(n)
        elif n.op in ("call_function", "call_method"):
            columns = self._function(n)
        if columns is not None and n in self._shapes and self._shapes[n][columns.axis] == len(columns.units):
            self.columns[n] = columns
        elif isinstance(result, Tensor) or name_of(n) not in known.QUESTIONS:
            self._leave_whole(n)
        return result

    def _leave_whole(self, node: fx.Node) -> None:
        kind = type(self.fetch_attr(str(node.target))).__name__ if node.op == "call_module" else name_of(node)
        reason = OUTPUT if node.op == "output" else f"{kind} is not known to act on each unit alone"
        for source in node.all_input_nodes:
            if source in self.columns:
                self.units.leave_whole(self.columns[source], reason)

    def _module(self, node: fx.Node) -> Columns | None:
        path, module = str(node.target), self.fetch_attr(str(node.target))
        self.called.add(path)
        source = node.args[0] if len(node.args) == 1 and not node.kwargs else None
        if (
            not isinstance(source, fx.Node)
            or source not in self._shapes
            or node not in self._shapes
            or has_hooks(module)
        ):
            return None
        given, before, after = self.columns.get(source), self._shapes[source], self._shapes[node]
        axis, rank = 1 if given is None else given.axis, len(before)
        if isinstance(module, nn.Linear) and (given is None or axis == rank - 1):
            return self._use(Use(path, True, given, self.units.make(module.out_features, rank - 1)))
        if isinstance(module, known.CONVOLUTIONS) and axis == 1 and rank == len(module.kernel_size) + 2:
            return self._convolution(path, module, given)
        if isinstance(module, nn.PReLU) and module.num_parameters == 1:
            return given
        if isinstance(module, known.UNIT_MODULES) and axis == 1:
            return given and self._use(Use(path, False, given, given))
        if isinstance(module, nn.Flatten) and (module.start_dim, module.end_dim) == (1, -1):
            return given and _viewed(given, (0, -1), before, after)
        if known.POSITION_MODULES.get(type(module)) == rank - 2 and axis == 1:
            return given
        return given if isinstance(module, known.PASSING_MODULES) else None

    def _convolution(
        self, path: str, module: nn.Conv1d | nn.Conv2d | nn.Conv3d, given: Columns | None
    ) -> Columns | None:
        each = module.out_channels // module.in_channels
        if module.groups == module.in_channels > 1:  # depthwise: each output is of one unit
            return given and self._use(
                Use(path, False, given, Columns(1, given.units.repeat(each), given.position.repeat(each)))
            )
        outputs = self.units.make(module.out_channels, 1)
        if module.groups > 1:
            for columns in (given, outputs):
                if columns is not None:
                    self.units.leave_whole(columns, f"{path} works in {module.groups} groups")
        return self._use(Use(path, True, given, outputs))

    def _use(self, use: Use) -> Columns:
        for other in self.uses:
            if other.path == use.path:  # its weights are for both
                for columns in (other.inputs, other.outputs, use.inputs, use.outputs):
                    if columns is not None:
                        self.units.leave_whole(columns, f"{use.path} is used more than once")
        self.uses.append(use)
        return use.outputs

    def _function(self, node: fx.Node) -> Columns | None:
        name = name_of(node)
        if node.op != "call_method" and not known.is_torchs(node.target, name):
            return None
        if known.acts_alone(node.target, name):
            return self._tied(node)
        if name in known.CONCATENATIONS:
            return self._concatenated(node)
        source = _argument(node, 0, "input")
        if not isinstance(source, fx.Node) or source not in self.columns or node not in self._shapes:
            return None
        given, before, after = self.columns[source], self._shapes[source], self._shapes[node]
        dim = _argument(node, 1, "dim")
        if name in known.POSITION_FUNCTIONS:
            return given if (given.axis, len(before)) == (1, known.POSITION_FUNCTIONS[name] + 2) else None
        if name in known.REDUCTIONS:
            return _reduced(given, dim, before, after)
        if name in known.VIEWS:
            sizes = node.args[1:] if name != "flatten" else (0, -1)
            return _viewed(given, sizes, before, after)
        if name in ("squeeze", "unsqueeze") and isinstance(dim, int):  # a dimension of positions
            return given if dim % max(len(before), len(after)) > given.axis else None
        return None

    def _tied(self, node: fx.Node) -> Columns | None:
        sources = node.all_input_nodes
        given = [self.columns[source] for source in sources if source in self.columns]
        if not given or node not in self._shapes:
            return None
        first, rank = given[0], len(self._shapes[node])
        for source in sources:
            shape = self._shapes.get(source)
            if shape is None:
                return None
            if source not in self.columns:
                is_for_all = math.prod(shape) == 1 or (len(shape) == rank and shape[first.axis] == 1)
                if not is_for_all:
                    return None
            elif (len(shape), self.columns[source].axis, shape[first.axis]) != (rank, first.axis, len(first.units)):
                return None
        for other in given[1:]:
            self.units.tie(first, other)
        return first

    def _concatenated(self, node: fx.Node) -> Columns | None:
        sources, dim = _argument(node, 0, "tensors"), _argument(node, 1, "dim") or 0
        if not isinstance(sources, (list, tuple)) or not isinstance(dim, int):
            return None
        axis, given = dim % len(self._shapes[node]), [self.columns.get(source) for source in sources]
        if {columns.axis for columns in given if columns is not None} != {axis}:
            return None
        parts = [
            Units.none(self._shapes[source][axis], axis) if columns is None else columns
            for source, columns in zip(sources, given, strict=True)
        ]
        return Columns(axis, np.concatenate([p.units for p in parts]), np.concatenate([p.position for p in parts]))


def _reduced(given: Columns, dim: Any, before: tuple[int, ...], after: tuple[int, ...]) -> Columns | None:
    """Of a mean, a sum, … over positions."""
    listed = [dim] if isinstance(dim, int) else list(dim) if isinstance(dim, (list, tuple)) else [0]  # all of them
    if not all(isinstance(each, int) for each in listed):
        return None
    dims = {each % len(before) for each in listed}
    if dims & {0, given.axis}:
        return None
    gone = 0 if len(after) == len(before) else sum(each < given.axis for each in dims)
    return given._replace(axis=given.axis - gone)


def _viewed(given: Columns, sizes: Any, before: tuple[int, ...], after: tuple[int, ...]) -> Columns | None:
    """Of a value whose positions become features, side by side; a view of a fixed size would fit no other width."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        [sizes] = sizes
    if given.axis != 1 or len(sizes) < 2:
        return None
    if after[:2] == before[:2] and isinstance(sizes[1], fx.Node):
        return given
    if sizes[-1] != -1 or after != (before[0], math.prod(before[1:])):
        return None
    positions = math.prod(before[2:])
    if len(before) == 2:
        return given
    return Columns(1, given.units.repeat(positions), np.tile(np.arange(positions), before[1]))


def _argument(node: fx.Node, place: int, name: str) -> Any:
    return node.args[place] if len(node.args) > place else node.kwargs.get(name)
