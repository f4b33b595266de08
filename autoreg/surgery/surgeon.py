"""How far a model's units can be taken out: orders for all its sites, cut at one level."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from autoreg.moments import Moments
from autoreg.surgery.anatomy import Anatomy
from autoreg.surgery.order import Order, Surgery
from autoreg.surgery.orders import cut_units, order_units
from autoreg.surgery.reading import Reading, read
from autoreg.surgery.sites import Cut

#: How many units of each site are taken out, 0 of one that stays whole.
Counts = tuple[int, ...]
#: Activation vectors of each read that moments are taken of.
VECTORS = 50_000


@dataclass(frozen=True)
class Surgeon:
    """A model with what is known of its units where they are read.

    Attributes:
        anatomy: the model's.
        readings: of each site, at each of its reads; none of one that stays whole.
        threshold: smallest |Pearson r| of units that are merged, in (0, 1].
    """

    anatomy: Anatomy
    readings: tuple[tuple[Reading, ...], ...]
    threshold: float
    _orders: dict[tuple[int, Surgery], Order] = field(default_factory=dict, init=False)

    def order(self, site: int, surgery: Surgery) -> Order:
        """Return the order in which a site's units are taken out; it is worked out once."""
        if (site, surgery) not in self._orders:
            self._orders[site, surgery] = order_units(self.readings[site], surgery, self.threshold)
        return self._orders[site, surgery]

    def within(self, surgery: Surgery, error: float) -> Counts:
        """Return how many units of each site can be taken out with at most this error at each."""
        return tuple(
            self.order(site, surgery).count(error) if readings else 0 for site, readings in enumerate(self.readings)
        )

    def share(self, surgery: Surgery, share: float) -> Counts | None:
        """Return how many units of each site are the same share, rounded down; None if an order does not go so far."""
        counts = []
        for site, readings in enumerate(self.readings):
            count = int(share * self.anatomy.sites[site].units) if readings else 0
            if readings and count > len(self.order(site, surgery).units):
                return None
            counts.append(count)
        return tuple(counts)

    def cuts(self, surgery: Surgery, counts: Counts) -> dict[int, Cut]:
        """Return what is done to each site of which so many units are taken out."""
        return {
            site: cut_units(
                self.readings[site],
                self.order(site, surgery).kept(count, self.anatomy.sites[site].units),
                surgery,
                self.threshold,
            )
            for site, count in enumerate(counts)
            if count
        }

    def kept(self, cuts: Mapping[int, Cut]) -> list[int]:
        """Return how many units of each site stay, with the constant one, if there is one, that stands for offsets."""
        kept = [site.units for site in self.anatomy.sites]
        for index, cut in cuts.items():
            reads = self.anatomy.sites[index].reads
            has_constant = any(
                read.pads and bool(mend.offset.any()) for read, mend in zip(reads, cut.mends, strict=True)
            )
            kept[index] = len(cut.kept) + has_constant
        return kept

    def eigenvalues(self, site: int) -> list[float]:
        """Return the variances of a site's principal components where it is read first, from the largest on."""
        if not self.readings[site]:
            return []
        found: list[float] = torch.linalg.eigvalsh(self.readings[site][0].covariance).clamp_min(0).flip(0).tolist()
        return found


def examine(anatomy: Anatomy, inputs: Iterable[Tensor], *, examples: int, threshold: float, seed: int) -> Surgeon:
    """Look at a model's units where they are read.

    An activation vector is a site's units at one position of one input; up to `VECTORS` are drawn for each read, spread
    evenly over the inputs.

    Args:
        anatomy: the model's.
        inputs: batches of examples that it was trained on.
        examples: how many there are.
        threshold: see `Surgeon`.
        seed: of the choice of vectors.
    """
    moments: dict[tuple[int, int], Moments] = {}
    generator = torch.Generator().manual_seed(seed)
    seen = after = 0

    def take(site: int, place: int, found: Tensor) -> None:
        share = VECTORS * after // examples - VECTORS * seen // examples
        if len(found) > share:
            found = found[torch.randperm(len(found), generator=generator)[:share].to(found.device)]
        if (site, place) not in moments:
            moments[site, place] = Moments(found)
        moments[site, place].add(found.double())

    for batch in inputs:
        after = seen + len(batch)
        anatomy.read_vectors(batch, take)
        seen = after
    readings = tuple(
        tuple(
            read(
                moments[index, place], anatomy.weight(index, place),
                is_last=each.module in anatomy.gives_logits, reads=len(site.reads),
            )
            for place, each in enumerate(site.reads)
        )
        if site.whole is None
        else ()
        for index, site in enumerate(anatomy.sites)
    )  # fmt: skip
    return Surgeon(anatomy, readings, threshold)
