"""A network at each of many levels to which its units are taken out, and what becomes of its labels."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from autoreg.errors import DataError
from autoreg.networks import Network
from autoreg.surgery.order import Surgery
from autoreg.surgery.sites import Cut
from autoreg.surgery.surgeon import Counts, Surgeon

#: An error that only what goes for nothing keeps to: dead units, silent ones and copies.
NOTHING = 1e-9
#: The other errors are powers of 10 with equally spaced exponents between these.
EXPONENTS = (-4.0, -0.5)
#: Errors between are tried where the share of unchanged labels goes below these, by halving the step so often.
REFINED_AT, BISECTIONS = (0.99, 0.95), 4


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

    def compare(self, network: nn.Module) -> tuple[float, float]:
        """Return the shares of examples to which a network gives the intact one's label, and the true one.

        Raises:
            DataError: its logits are not finite.
        """
        hits = torch.zeros(2, dtype=torch.int64)
        for inputs, before, labels, compared in self.batches:
            predicted = _labels(compared(network(inputs)), " of a network with units taken out")
            hits += torch.stack([(predicted == before).sum(), (predicted == labels).sum()]).cpu()
        unchanged, accuracy = (hits.double() / self.examples).tolist()
        return unchanged, accuracy


def _labels(logits: Tensor, whose: str = "") -> Tensor:
    if not logits.isfinite().all():
        raise DataError(f"logits must be finite numbers, got NaN or ±inf{whose}")
    return logits.argmax(1)


def size_of(network: nn.Module, inputs: Tensor) -> tuple[int, int]:
    """Return a network's number of parameters, and its floating-point operations for the first of some inputs."""
    with FlopCounterMode(display=False) as counter:
        network(inputs[:1])
    return sum(parameter.numel() for parameter in network.parameters()), int(counter.get_total_flops())


@dataclass(frozen=True)
class Facts:
    """What a narrower network is: parameters, flops of one example, units kept by site; and what it says.

    Attributes:
        kept: by site, with a constant unit where one stands for offsets.
        parameters: their number.
        flops: of one example.
        unchanged: share of examples that keep their label.
        accuracy: share of examples with their true label.
    """

    kept: list[int]
    parameters: int
    flops: int
    unchanged: float
    accuracy: float


@dataclass(frozen=True)
class Narrow:
    """A narrower network, of which each number is worked out when it is asked for, and once; itself it is not held.

    Attributes:
        surgeon: who takes the units out.
        surgery: how.
        counts: how many of each site.
        validation: examples by which a level may be chosen.
        shown: examples that choose nothing.
    """

    surgeon: Surgeon
    surgery: Surgery
    counts: Counts
    validation: Labelled
    shown: Labelled

    @cached_property
    def on_validation(self) -> float:
        """The share of labels unchanged on validation."""
        return self.facts.unchanged if self.shown is self.validation else self.validation.compare(self.network())[0]

    @cached_property
    def facts(self) -> Facts:
        """What the network is, and what it says of the examples that choose nothing."""
        network = self.network()
        sizes = size_of(network, self.shown.batches[0][0])
        return Facts(self.surgeon.kept(self.cuts()), *sizes, *self.shown.compare(network))

    def cuts(self) -> dict[int, Cut]:
        """Return what is done to each site."""
        return self.surgeon.cuts(self.surgery, self.counts)

    def network(self) -> nn.Module:
        """Return the network itself."""
        return self.surgeon.anatomy.narrow(self.cuts())


class Levels:
    """Narrower networks by surgery and level; where surgeries do the same, one stands for both.

    Args:
        surgeon: takes the units out.
        validation: examples by which a level may be chosen.
        shown: examples that choose nothing.
    """

    def __init__(self, surgeon: Surgeon, validation: Labelled, shown: Labelled) -> None:
        self.surgeon, self._validation, self._shown = surgeon, validation, shown
        self._by_counts: dict[tuple[Surgery, Counts], Narrow] = {}
        self._by_cuts: dict[str, Narrow] = {}

    def narrow(self, surgery: Surgery, counts: Counts) -> Narrow:
        """Return the network that a surgery leaves with so many units taken out of each site."""
        if (surgery, counts) not in self._by_counts:
            made = Narrow(self.surgeon, surgery, counts, self._validation, self._shown)
            self._by_counts[surgery, counts] = self._by_cuts.setdefault(_digest(made.cuts()), made)
        return self._by_counts[surgery, counts]

    def within(self, surgery: Surgery, error: float) -> Narrow:
        """Return the network that a surgery leaves with at most this error at each site."""
        return self.narrow(surgery, self.surgeon.within(surgery, error))

    def errors(self, surgery: Surgery, levels: int) -> dict[float, str]:
        """Return so many errors, and the largest found with each share of `REFINED_AT` unchanged on validation.

        Args:
            surgery: whose networks are looked at.
            levels: at least 2.

        Returns:
            For each error `error`, or `refined` for one that was put between others.
        """
        grid = error_grid(levels)
        refined = {self.largest(surgery, grid, least) for least in REFINED_AT}
        return dict.fromkeys(refined, "refined") | dict.fromkeys(grid, "error")

    def largest(self, surgery: Surgery, grid: list[float], least: float) -> float:
        """Return the largest error found with which so many labels stay: one of the grid, or between two of it."""
        shares = [self.within(surgery, error).on_validation for error in grid]
        place = max((index for index, share in enumerate(shares) if share >= least), default=0)
        if shares[place] < least or place + 1 == len(grid):
            return grid[place]
        low, high = grid[place], grid[place + 1]
        for _ in range(BISECTIONS):
            middle = math.sqrt(low * high)
            is_enough = self.within(surgery, middle).on_validation >= least
            low, high = (middle, high) if is_enough else (low, middle)
        return low


def error_grid(levels: int) -> list[float]:
    """Return `NOTHING` and so many errors, at least 2."""
    low, high = EXPONENTS
    return [NOTHING, *(10 ** (low + (high - low) * step / (levels - 1)) for step in range(levels))]


def _digest(cuts: Mapping[int, Cut]) -> str:
    digest = hashlib.blake2b()
    for site, cut in cuts.items():
        parts = [torch.tensor(site), cut.kept, *(part for mend in cut.mends for part in (mend.matrix, mend.offset))]
        for part in parts:
            digest.update(part.contiguous().numpy().tobytes())
    return digest.hexdigest()
