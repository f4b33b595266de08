"""Which dimension of an activation is the units: that of the operation that made it."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from typing_extensions import override

from autoreg.errors import ConfigError

#: Operations that make units, and along which dimension; PyTorch's modules call them.
_AXES = dict.fromkeys(("batch_norm", "group_norm", "instance_norm"), 1)
_AXES |= {f"conv{kind}{rank}d": 1 for kind in ("", "_transpose") for rank in (1, 2, 3)}
_AXES |= dict.fromkeys(
    ("linear", "bilinear", "layer_norm", "rms_norm", "embedding", "lstm", "gru", "rnn_tanh", "rnn_relu",
     "multi_head_attention_forward", "scaled_dot_product_attention"), -1,
)  # fmt: skip
#: Operations after which it is not known where the units are: products of any kind, and what changes dimensions around.
_PRODUCTS = {"matmul", "__matmul__", "__rmatmul__", "mm", "bmm", "addmm", "baddbmm", "einsum", "tensordot", "inner"}
_MOVES = {"permute", "movedim", "moveaxis", "transpose", "swapaxes", "swapdims", "t", "T", "mT", "H", "mH"}
_SWAPS = {"transpose", "swapaxes", "swapdims"}


class MoveUnits(nn.Module):
    """Moves a dimension, between the layout of a network and [batch, units, …]."""

    def __init__(self, source: int, target: int) -> None:
        super().__init__()
        self.source, self.target = source, target

    @override
    def forward(self, values: Tensor) -> Tensor:
        return values.movedim(self.source, self.target)


class UnitWatch(TorchFunctionMode):
    """Watches what runs inside, and knows what made the units of the activation that comes out.

    Attributes:
        axis: the dimension of the units, 1 or −1; None if it is not known.
        shape: of what the operation gave that made them.
        name: of that operation, or of the one after which it is not known; empty before any.
    """

    def __init__(self) -> None:
        super().__init__()
        self.axis: int | None = None
        self.shape: tuple[int, ...] = ()
        self.name = ""

    @override
    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if name == "__get__":  # of a property, such as `values.T`
            name = func.__self__.__name__
        output = given[0] if isinstance(given, tuple) and given else given
        if isinstance(output, Tensor):
            if name in _AXES:
                self.axis, self.shape, self.name = _AXES[name], tuple(output.shape), name
            elif name in _PRODUCTS or (name in _MOVES and not self._is_kept(name, args, output)):
                self.axis, self.shape, self.name = None, tuple(output.shape), name
        return given

    def _is_kept(self, name: str, args: tuple[Any, ...], output: Tensor) -> bool:
        """Whether a swap of two dimensions leaves that of the units in its place."""
        if name not in _SWAPS or len(args) != 3 or self.axis is None:
            return False
        swapped = {dimension % output.ndim for dimension in args[1:]}
        if self.axis % output.ndim in swapped:
            return False
        self.shape = tuple(output.shape)
        return True

    def axis_of(self, layer: str, activations: Tensor) -> int:
        """Return the dimension of a layer's units; 1 and −1 are the same where there are no positions.

        What comes after the operation that made the units may act on them, pool positions or add channels. If neither
        the units nor the positions are those that it gave, they were rearranged.

        Raises:
            ConfigError: no known operation made them, or they were rearranged after it.
        """
        shape = tuple(activations.shape)
        if len(shape) <= 2:
            return 1
        if self.axis is not None:
            start = 1 if self.axis == -1 else 2
            now, then = (sizes[start : len(sizes) + start - 2] for sizes in (shape, self.shape))
            if shape[self.axis] == self.shape[self.axis] or now == then:
                return self.axis
        made = f"{self.name} gave {self.shape}" if self.name else "no operation of torch's made them"
        raise ConfigError(
            f"layer {layer!r}: which dimension of its activations, {shape}, is the units is not known: {made}; "
            "end it at what makes them, such as a convolution or a Linear, and its activation"
        )
