"""Examples with the labels that a network gives them, and how many of these stay when it is another one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from autoreg.errors import DataError
from autoreg.networks import Network


@dataclass(frozen=True)
class Labelled:
    """Examples in batches: inputs, the intact network's labels, true ones, and what makes logits of its stages' values.

    Without a richness the latter changes nothing (`Network.compared`).
    """

    batches: list[tuple[Tensor, Tensor, Tensor, nn.Module]]

    @classmethod
    def of(cls, network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> Self:
        """Return examples, (inputs, true labels), with what a network says of them; DataError if that is not finite."""
        compared = network.compared if isinstance(network, Network) else lambda _: nn.Identity()
        return cls([(inputs, _labels(network(inputs)), labels, compared(inputs)) for inputs, labels in batches])

    @property
    def examples(self) -> int:
        """How many there are."""
        return sum(len(labels) for _, _, labels, _ in self.batches)

    @property
    def accuracy(self) -> float:
        """The share to which the intact network gives the true label."""
        return sum(int((before == labels).sum()) for _, before, labels, _ in self.batches) / self.examples

    def compare(self, network: nn.Module, values: Iterable[Tensor] | None = None) -> tuple[float, float]:
        """Return the shares of examples to which a network gives the intact one's label, and the true one.

        Args:
            network: gives logits, [examples, classes].
            values: what it is given in place of each batch's inputs.

        Raises:
            DataError: its logits are not finite.
        """
        hits = torch.zeros(2, dtype=torch.int64)
        given = (inputs for inputs, *_ in self.batches) if values is None else values
        for value, (_, before, labels, compared) in zip(given, self.batches, strict=True):
            predicted = _labels(compared(network(value)), " of a network with units taken out")
            hits += torch.stack([(predicted == before).sum(), (predicted == labels).sum()]).cpu()
        unchanged, accuracy = (hits.double() / self.examples).tolist()
        return unchanged, accuracy


def _labels(logits: Tensor, whose: str = "") -> Tensor:
    if not logits.isfinite().all():
        raise DataError(f"logits must be finite numbers, got NaN or ±inf{whose}")
    return logits.argmax(1)
