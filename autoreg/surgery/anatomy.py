"""A model, traced once: its sites, what their reads see, and the model with units masked or taken out."""

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from autoreg.surgery.sites import Cut, Site


class Anatomy:
    """A model in evaluation mode, of which units may be taken out."""

    sites: tuple[Site, ...]

    def __init__(self, model: nn.Module, example: Tensor) -> None:
        raise NotImplementedError

    def read_vectors(self, inputs: Tensor, take: Callable[[int, int, Tensor], None]) -> None:
        """Run the model once and hand (site, read, vectors [n, units]) of every read to `take`, as they come.

        A call instead of an iterator, so that what was read can go before the next map runs.
        """
        raise NotImplementedError

    def weight(self, site: int, read: int) -> Tensor:
        """Return the weights by which a read sees a site, float64, [outputs, units, positions]."""
        raise NotImplementedError

    def masked(self, cuts: Mapping[int, Cut]) -> nn.Module:
        """Return the model at its own size, in which the reads see what stands for the units that were taken out."""
        raise NotImplementedError

    def narrow(self, cuts: Mapping[int, Cut]) -> nn.Module:
        """Return the model without these units: same class, narrower modules."""
        raise NotImplementedError
