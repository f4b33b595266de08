"""A split: examples with their labels, held as tensors or made while they are asked for."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor
from typing_extensions import override


class Examples(ABC):
    """What a split of any kind offers; each kind is a frozen dataclass with a field `labels`.

    `Split` holds its inputs on the device; a split of images that do not fit there decodes them on the fly.

    Attributes:
        labels: int64, [examples], on the device that the inputs arrive on. Fewer of them make a shorter split.
    """

    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @abstractmethod
    def batches(
        self, batch_size: int, order: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (inputs as they are stored, labels) in the order of the given indices, or as stored.

        The last batch may be smaller. A split that crops while it decodes draws its crops from the generator, on the
        CPU, and crops without randomness if there is none.
        """

    def passing_over(self, batches: int) -> Self:
        """Return this split for who uses none of its first batches, but has them draw what they draw.

        Their inputs may be anything; a split that decodes images leaves that out.
        """
        return self

    def to(self, device: torch.device) -> Self:
        """Return this split with its batches on a device."""
        return self.with_labels(self.labels.to(device))

    def with_labels(self, labels: Tensor) -> Self:
        """Return this split with other labels, int64, [examples], on its device."""
        return replace(self, labels=labels)  # type: ignore[type-var]

    def first(self, count: int) -> Self:
        """Return a split of the first examples, for who needs to look at a few."""
        return self.with_labels(self.labels[:count])


@dataclass(frozen=True)
class Split(Examples):
    """Examples and their labels as tensors.

    Attributes:
        inputs: the examples as they are stored, [examples, …], any dtype.
        labels: [examples], int64.
    """

    inputs: Tensor
    labels: Tensor

    @override
    def batches(
        self, batch_size: int, order: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        if order is not None:
            order = order.to(self.labels.device)
        for start in range(0, len(self), batch_size):
            stop = min(start + batch_size, len(self))
            if order is None:  # a copy, or what a network does to its inputs in place would change the data
                yield self.inputs[start:stop].clone(), self.labels[start:stop].clone()
            else:
                yield self.inputs[order[start:stop]], self.labels[order[start:stop]]

    @override
    def to(self, device: torch.device) -> Self:
        return replace(self, inputs=self.inputs.to(device), labels=self.labels.to(device))
