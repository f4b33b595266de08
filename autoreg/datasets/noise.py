"""Noise of any shape: for counting a network's parameters, trying it without its data, and tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from autoreg.datasets.dataset import Dataset, datasets
from autoreg.datasets.split import Examples
from autoreg.seeds import derive_seed


@datasets.register
def noise(
    root: Path | None,
    *,
    shape: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)],
    classes: Annotated[int, Field(ge=2)] = 10,
    train_size: Annotated[int, Field(ge=1)] = 64,
    validation_size: Annotated[int, Field(ge=1)] = 16,
    test_size: Annotated[int, Field(ge=1)] = 16,
    seed: int = 0,
) -> Dataset:
    """Return standard normal inputs, [examples, *shape], with random labels that have nothing to do with them.

    An input is drawn whenever it is asked for, from the seed and its index, so that large ones need no memory. Needs
    no files and has no augmentation.
    """

    def part(name: str, size: int) -> Noise:
        generator = torch.Generator().manual_seed(derive_seed(seed, "noise labels", name))
        return Noise(name, tuple(shape), seed, torch.randint(classes, (size,), generator=generator))

    fingerprint = f"noise-{'x'.join(map(str, shape))}-{classes}-{train_size}-{validation_size}-{test_size}-{seed}"
    return Dataset(
        train=part("train", train_size),
        validation=part("validation", validation_size),
        test=part("test", test_size),
        input_shape=tuple(shape),
        classes=classes,
        fingerprint=fingerprint,
    )


@dataclass(frozen=True)
class Noise(Examples):
    """A split whose inputs are drawn when they are asked for.

    Attributes:
        name: the split's name, which its inputs derive from, as they do from `seed`.
        shape: of one input.
        labels: [examples], int64.
    """

    name: str
    shape: tuple[int, ...]
    seed: int
    labels: Tensor

    @override
    def batches(
        self, batch_size: int, order: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        indices = torch.arange(len(self)) if order is None else order.cpu()
        for chosen in torch.split(indices, batch_size):
            inputs = torch.stack([self._draw(index) for index in chosen.tolist()])
            yield inputs.to(self.labels.device), self.labels[chosen.to(self.labels.device)]

    def _draw(self, index: int) -> Tensor:
        generator = torch.Generator().manual_seed(derive_seed(self.seed, "noise", self.name, index))
        return torch.randn(self.shape, generator=generator)
