"""Which examples of a dataset surgery looks at."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from autoreg.datasets import Dataset
from autoreg.seeds import derive_seed

#: Examples at once, so that activations of small networks stay in a CPU's cache; a GPU is to draw the same ones.
BATCH = 50


@dataclass(frozen=True)
class Draw:
    """Some examples of each split, drawn at random.

    Attributes:
        dataset: of which.
        replicate: seeds the choice.
        examples: at most how many of each split; None for all.
    """

    dataset: Dataset
    replicate: int
    examples: int | None

    def count(self, split: str) -> int:
        """Return how many there are of a split."""
        held = len(self.dataset.split(split))
        return held if self.examples is None else min(self.examples, held)

    def batches(self, split: str) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (inputs, labels)."""
        left, whole = self.count(split), len(self.dataset.split(split))
        generator = torch.Generator().manual_seed(derive_seed(self.replicate, "compression", split))
        order = torch.randperm(whole, generator=generator)
        for inputs, labels in self.dataset.batches(split, BATCH, order):
            yield inputs[:left], labels[:left]
            left -= len(inputs)
            if left <= 0:
                return
