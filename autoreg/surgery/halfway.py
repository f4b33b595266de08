"""What becomes of labels; what a network computes before the first unit that is taken out is computed only once."""

from collections.abc import Sequence
from functools import cached_property

from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from autoreg.networks import Network
from autoreg.surgery.anatomy import Anatomy, Cuts
from autoreg.surgery.known import POSITION_MODULES
from autoreg.surgery.labelled import Labelled

#: No more bytes of a network's values are kept.
ROOM = 2**29


class Judge:
    """Tells what share of labels stays, of narrower networks of one model.

    A `Network` that changes nothing up to the end of its costliest stage is run from there on: what comes before is
    the same as in the intact one. In an AlexNet whose first convolution stays whole, that is nine tenths of the cost.

    Args:
        anatomy: the model's.
        labelled: examples with the model's labels.
    """

    def __init__(self, anatomy: Anatomy, labelled: Labelled) -> None:
        self.labelled = labelled
        self._anatomy = anatomy

    def compare(self, narrower: nn.Module, cuts: Cuts) -> tuple[float, float]:
        """Return what `Labelled.compare` gives for a network to which some cuts were made."""
        kept = self._anatomy.kept_after(self._first, cuts)
        if kept is None or self._halfway is None or not isinstance(narrower, Network):
            return self.labelled.compare(narrower)
        axis, columns = kept
        values = (value.index_select(axis, columns.to(value.device)) for value in self._halfway)
        return self.labelled.compare(narrower.stages[len(self._first) :], values)

    @cached_property
    def _first(self) -> Sequence[str]:
        """The stages up to the costliest, and the pooling after it; none of what is not a `Network`."""
        model, flops = self._anatomy.model, []
        if not isinstance(model, Network):
            return ()
        values = self._anatomy.example[:1]
        for stage in model.stages:
            with FlopCounterMode(display=False) as counter:
                values = stage(values)
            flops.append(counter.get_total_flops())
        end = flops.index(max(flops)) + 1
        while end < len(model.stages) and isinstance(model.stages[end], tuple(POSITION_MODULES)):
            end += 1
        return list(model.stages._modules)[:end]

    @cached_property
    def _halfway(self) -> list[Tensor] | None:
        """What the first stages of the intact network give for each batch; None if that is too much."""
        model = self._anatomy.model
        assert isinstance(model, Network)
        first, found, room = model.stages[: len(self._first)], [], ROOM
        for inputs, *_ in self.labelled.batches:
            found.append(first(inputs))
            room -= found[-1].nbytes
            if room < 0:
                return None
        return found
