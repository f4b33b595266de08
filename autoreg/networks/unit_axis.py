"""Which dimension of an activation is the units: that of the operation that made it."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary
from typing_extensions import override

from autoreg.errors import ConfigError

#: Operations that make units, and along which dimension; PyTorch's modules call them.
_AXES = {f"conv{kind}{rank}d": 1 for kind in ("", "_transpose") for rank in (1, 2, 3)}
_AXES |= dict.fromkeys(
    ("linear", "bilinear", "embedding", "lstm", "gru", "rnn_tanh", "rnn_relu", "multi_head_attention_forward",
     "scaled_dot_product_attention"), -1,
)  # fmt: skip
#: Normalizations leave units where they are; where that is not known, they say what they normalize as units.
_NORMALIZATIONS = dict.fromkeys(("batch_norm", "group_norm", "instance_norm"), 1)
_NORMALIZATIONS |= dict.fromkeys(("layer_norm", "rms_norm"), -1)
#: Operations after which it is not known where the units are: products of any kind, and what changes dimensions around.
_PRODUCTS = {"matmul", "__matmul__", "__rmatmul__", "mm", "bmm", "addmm", "baddbmm", "einsum", "tensordot", "inner"}
_SWAPS = {"transpose", "swapaxes", "swapdims", "transpose_", "swapaxes_", "swapdims_"}
_MOVES = _SWAPS | {
    "permute", "movedim", "moveaxis", "t", "t_", "T", "mT", "H", "mH", "rot90", "stack", "dstack", "unfold", "fold",
}  # fmt: skip
#: What multiplies by weights.
MAPS = frozenset(_AXES) | _PRODUCTS


class MoveUnits(nn.Module):
    """Moves a dimension, between the layout of a network and [batch, units, …]."""

    def __init__(self, source: int, target: int) -> None:
        super().__init__()
        self.source, self.target = source, target

    @override
    def forward(self, values: Tensor) -> Tensor:
        return values.movedim(self.source, self.target)


class _Units(NamedTuple):
    """Where the units of a tensor are: the dimension, 1 or −1, or None if it is not known; and what made them."""

    axis: int | None
    shape: tuple[int, ...]
    name: str
    made: tuple[int, ...]


class UnitWatch(TorchFunctionMode):
    """Watches what runs inside, and knows of each tensor what made its units and where they are."""

    def __init__(self) -> None:
        super().__init__()
        self._known = WeakTensorKeyDictionary()

    @override
    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if name == "__get__":  # of a property, such as `values.T`
            name = func.__self__.__name__
        sources = [self._known[each] for each in _tensors((*args, *(kwargs or {}).values())) if each in self._known]
        for output in _tensors((given,)):
            units = _units_of(name, args, sources, tuple(output.shape))
            if units is not None:
                self._known[output] = units
        return given

    def axis_of(self, layer: str, activations: Tensor) -> int:
        """Return the dimension of a layer's units; 1 and −1 are the same where there are no positions.

        What comes after the operation that made the units may act on them, pool positions or add channels. If neither
        the units nor the positions are those that it gave, they were rearranged.

        Raises:
            ConfigError: no known operation made them, or they were rearranged after it.
        """
        shape = tuple(activations.shape)
        units: _Units | None = self._known.get(activations, None)  # type: ignore[no-untyped-call]
        if units is not None and units.axis is not None:
            return 1 if len(shape) <= 2 else units.axis
        if len(shape) <= 2 and (units is None or len(units.made) <= 2):
            return 1
        made = f"{units.name} gave {units.made}" if units is not None else "no operation of torch's made them"
        raise ConfigError(
            f"layer {layer!r}: which dimension of its activations, {shape}, is the units is not known: {made}; "
            "end it at what makes them, such as a convolution or a Linear, and its activation"
        )


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def _units_of(name: str, args: tuple[Any, ...], sources: Sequence[_Units], shape: tuple[int, ...]) -> _Units | None:
    """Return where the units of what an operation gave are, from those of what it was given; None if it had none."""
    if name in _AXES:
        return _Units(_AXES[name], shape, name, shape)
    if name in _PRODUCTS:
        return _Units(None, shape, name, shape)
    alike = [each for each in sources if each.shape == shape] or sources  # what is broadcast only acts on them
    axes = {_axis_after(each, shape) for each in alike}
    if name in _MOVES and sources and not (name in _SWAPS and _is_kept(sources[0].axis, args, len(shape))):
        return _Units(None, shape, name, shape)
    axis = axes.pop() if len(axes) == 1 else None
    if axis is None and name in _NORMALIZATIONS and (len(shape) > 2 or not alike):
        return _Units(_NORMALIZATIONS[name], shape, name, shape)
    return _Units(axis, shape, alike[0].name, alike[0].made) if alike else None


def _is_kept(axis: int | None, args: tuple[Any, ...], rank: int) -> bool:
    """Whether a swap of two dimensions leaves that of the units in its place."""
    return axis is not None and len(args) == 3 and axis % rank not in {dimension % rank for dimension in args[1:]}


def _axis_after(units: _Units, shape: tuple[int, ...]) -> int | None:
    """Return the dimension of the units after an operation that gave another shape; None if it cannot be told."""
    before = units.shape
    if units.axis is None or len(shape) < 2:
        return None
    for axis in (1, -1) if len(before) == 2 else (units.axis,):
        start = 1 if axis == -1 else 2
        now, then = (sizes[start : len(sizes) + start - 2] for sizes in (shape, before))
        if len(shape) == len(before):
            is_same = shape[axis] == before[axis] or now == then
        elif math.prod(shape) == math.prod(before):  # a view, whose elements stand in the same order
            is_same = shape[:2] == before[:2] if axis == 1 else shape[-1] == before[-1]
        else:  # positions were reduced or chosen: told by the size where no other dimension has it
            is_same = (
                shape[axis] == before[axis] and before[1:].count(before[axis]) == shape[1:].count(before[axis]) == 1
            )
        if is_same:
            return 1 if len(shape) == 2 else axis
    return None
