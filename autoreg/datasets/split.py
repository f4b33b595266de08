"""A split: examples with their labels, held as tensors or made while they are asked for."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol, Self

import torch
from torch import Tensor
from typing_extensions import override


class Examples(Protocol):
    """What a split of any kind offers.

    `Split` holds its inputs on the device; a split of images that do not fit there decodes them on the fly.
    """

    @property
    def labels(self) -> Tensor:
        """The labels, int64, [examples], on the device that the inputs arrive on."""

    def __len__(self) -> int: ...

    def batches(
        self, batch_size: int, order: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (inputs as they are stored, labels) in the order of the given indices, or as stored.

        The last batch may be smaller. A split that crops while it decodes draws its crops from the generator, on the
        CPU, and crops without randomness if there is none.
        """

    def to(self, device: torch.device) -> Self:
        """Return this split with its batches on a device."""

    def with_labels(self, labels: Tensor) -> Self:
        """Return this split with other labels, int64, [examples], on its device."""


class Labelled:
    """What splits that are dataclasses with a field `labels` have in common."""

    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> Self:
        """Return this split with its batches on a device."""
        return self.with_labels(self.labels.to(device))

    def with_labels(self, labels: Tensor) -> Self:
        """Return this split with other labels, int64, [examples]."""
        return replace(self, labels=labels)  # type: ignore[type-var]


@dataclass(frozen=True)
class Split(Labelled):
    """Examples and their labels as tensors.

    Attributes:
        inputs: the examples as they are stored, [examples, …], any dtype.
        labels: [examples], int64.
    """

    inputs: Tensor
    labels: Tensor

    def batches(
        self, batch_size: int, order: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (inputs, labels) in the order of the given indices, or as stored; the last batch may be smaller."""
        if order is not None:
            order = order.to(self.labels.device)
        for start in range(0, len(self), batch_size):
            chosen = slice(start, start + batch_size) if order is None else order[start : start + batch_size]
            yield self.inputs[chosen], self.labels[chosen]

    @override
    def to(self, device: torch.device) -> Self:
        return replace(self, inputs=self.inputs.to(device), labels=self.labels.to(device))


@dataclass(frozen=True)
class FirstExamples:
    """The first examples of a split, for who needs to look at a few.

    Attributes:
        split: the split.
        count: how many of its examples; at least 1.
    """

    split: Examples
    count: int

    @property
    def labels(self) -> Tensor:
        """Their labels, [count]."""
        return self.split.labels[: self.count]

    def __len__(self) -> int:
        return self.count

    def batches(
        self, batch_size: int, order: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield batches as the split itself does."""
        order, left = torch.arange(self.count) if order is None else order, self.count
        for inputs, labels in self.split.batches(batch_size, order, generator):
            yield inputs, labels
            left -= len(labels)
            if not left:  # a split takes an order for one of all its examples
                return

    def to(self, device: torch.device) -> Self:
        """Return them on a device."""
        return replace(self, split=self.split.to(device))

    def with_labels(self, labels: Tensor) -> Self:
        """Return them with other labels, [count]."""
        return replace(self, split=self.split.with_labels(torch.cat([labels, self.split.labels[self.count :]])))
