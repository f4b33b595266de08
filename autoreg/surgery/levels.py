"""A network at each of many levels to which its units are taken out, and what becomes of its labels."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from autoreg.surgery.halfway import Judge
from autoreg.surgery.labelled import Labelled
from autoreg.surgery.order import Surgery
from autoreg.surgery.sites import Cut
from autoreg.surgery.surgeon import Counts, Surgeon

#: An error that only what goes for nothing keeps to: dead units, silent ones and copies.
NOTHING = 1e-9
#: The other errors are powers of 10 with equally spaced exponents between these.
EXPONENTS = (-4.0, -0.5)
#: Errors between are tried where the share of unchanged labels goes below these, by halving the step so often.
REFINED_AT, BISECTIONS = (0.99, 0.95), 4


def size_of(network: nn.Module, inputs: Tensor) -> tuple[int, int]:
    """Return a network's number of parameters, and its floating-point operations for the first of some inputs."""
    with FlopCounterMode(display=False) as counter:
        network(inputs[:1])
    return sum(parameter.numel() for parameter in network.parameters()), int(counter.get_total_flops())


@dataclass(frozen=True)
class Facts:
    """What a narrower network is, and what it says.

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
        validation: by examples by which a level may be chosen.
        shown: by examples that choose nothing.
    """

    surgeon: Surgeon
    surgery: Surgery
    counts: Counts
    validation: Judge
    shown: Judge

    @cached_property
    def on_validation(self) -> float:
        """The share of labels unchanged on validation."""
        if self.shown is self.validation:
            return self.facts.unchanged
        cuts = self.cuts()
        return self.validation.compare(self.surgeon.anatomy.narrow(cuts), cuts)[0]

    @cached_property
    def facts(self) -> Facts:
        """What the network is, and what it says of the examples that choose nothing."""
        cuts = self.cuts()
        network = self.surgeon.anatomy.narrow(cuts)
        sizes = size_of(network, self.surgeon.anatomy.example)
        return Facts(self.surgeon.kept(cuts), *sizes, *self.shown.compare(network, cuts))

    def cuts(self) -> dict[int, Cut]:
        """Return what is done to each site."""
        return self.surgeon.cuts(self.surgery, self.counts)


class Levels:
    """Narrower networks by surgery and level; where surgeries do the same, one stands for both.

    Args:
        surgeon: takes the units out.
        validation: examples by which a level may be chosen.
        shown: examples that choose nothing.
    """

    def __init__(self, surgeon: Surgeon, validation: Labelled, shown: Labelled) -> None:
        self.surgeon, self._shown = surgeon, Judge(surgeon.anatomy, shown)
        self._validation = self._shown if validation is shown else Judge(surgeon.anatomy, validation)
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
