"""The reference: a model at its own size, whose maps see what stands for the units that were taken out."""

import copy
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from autoreg.surgery.sites import Cut, Mend, Read


def masked(model: nn.Module, cuts: Iterable[tuple[Read, Cut, Mend]], zeroed: Mapping[str, Tensor]) -> nn.Module:
    """Return a copy of a model that reads what stands for the removed units.

    Args:
        model: in evaluation mode.
        cuts: what is done where units are read.
        zeroed: by the path of each local response normalisation, those of its inputs that are 0 in its sums.
    """
    copied = copy.deepcopy(model)
    reads: dict[str, list[tuple[Read, Cut, Mend]]] = {}
    for each in cuts:
        reads.setdefault(each[0].module, []).append(each)
    for path, found in reads.items():
        module = copied.get_submodule(path)
        module.register_forward_pre_hook(_Rebuild(found, next(module.parameters())))
    for path, columns in zeroed.items():
        copied.get_submodule(path).register_forward_pre_hook(_Zero(columns))
    return copied


def axis_of(module: nn.Module) -> int:
    """Return the dimension of a map's inputs that it mixes."""
    return -1 if isinstance(module, nn.Linear) else 1


class _Rebuild:
    """Replaces values of removed units by combinations of those that are kept."""

    def __init__(self, reads: Iterable[tuple[Read, Cut, Mend]], like: Tensor) -> None:
        self._reads = []
        for read, cut, mend in reads:
            columns = read.columns()
            kept, removed = columns[cut.kept.cpu()].to(like.device), columns[cut.removed(len(columns))].to(like.device)
            self._reads.append((kept, removed, mend.matrix.to(like), mend.offset.to(like)))

    def __call__(self, module: nn.Module, inputs: tuple[Tensor]) -> Tensor:
        given = inputs[0].movedim(axis_of(module), -1)
        seen = given.clone()
        for kept, removed, matrix, offset in self._reads:
            seen[..., removed] = torch.einsum("rk,...kp->...rp", matrix, given[..., kept]) + offset[:, None]
        return seen.movedim(-1, axis_of(module))


class _Zero:
    """Replaces values of removed units by 0."""

    def __init__(self, columns: Tensor) -> None:
        self._columns = columns

    def __call__(self, module: nn.Module, inputs: tuple[Tensor]) -> Tensor:
        return inputs[0].index_fill(1, self._columns.to(inputs[0].device), 0)
