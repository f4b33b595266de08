"""The reference: a model at its own size, whose maps see what stands for the units that were taken out."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from autoreg.networks.given_model import copied
from autoreg.surgery.sites import Cut, Mend, Read


def masked(model: nn.Module, cuts: Iterable[tuple[Read, Cut, Mend]], seen: Mapping[str, Tensor]) -> nn.Module:
    """Return a copy of a model that reads what stands for the removed units, and shares its parameters.

    Args:
        model: in evaluation mode.
        cuts: what is done where units are read.
        seen: by the path of a local response normalisation, which of its inputs it sees; the others are 0 in its sums.
    """
    twin = copied(model, shares_parameters=True)
    reads: dict[str, list[tuple[Read, Cut, Mend]]] = {}
    for each in cuts:
        reads.setdefault(each[0].module, []).append(each)
    for path, found in reads.items():
        module = twin.get_submodule(path)
        module.register_forward_pre_hook(_Rebuild(found, next(module.parameters())))
    for path, columns in seen.items():
        twin.get_submodule(path).register_forward_pre_hook(_See(columns))
    return twin


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


class _See:
    """Replaces the values of all but some units by 0."""

    def __init__(self, columns: Tensor) -> None:
        self._columns = columns

    def __call__(self, module: nn.Module, inputs: tuple[Tensor]) -> Tensor:
        columns = self._columns.to(inputs[0].device)
        return torch.zeros_like(inputs[0]).index_copy(1, columns, inputs[0].index_select(1, columns))
