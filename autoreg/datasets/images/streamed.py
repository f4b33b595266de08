"""Images that are too many to hold: read, decoded and cropped while the network trains on those before them."""

import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from autoreg.datasets.images.cache import Array
from autoreg.datasets.images.encoded import EncodedImages
from autoreg.datasets.images.imagenet_crops import ImagenetCrops
from autoreg.datasets.images.pixels import remarks_of
from autoreg.datasets.split import Examples
from autoreg.errors import DataWarning

#: Batches that are decoded ahead of the one in use.
LOOK_AHEAD = 2


@dataclass(frozen=True)
class StreamedSplit(Examples):
    """A split of images of which only a few batches are ever in memory.

    All random numbers of a batch are drawn before its first image is decoded, so that the number of threads does not
    change the result.

    Attributes:
        images: those of this split, and others.
        rows: which of them are in this split, int64, [examples].
        labels: int64, [examples], on the device that batches arrive on.
        crops: how an image becomes a square of one size.
        undecoded: how many batches, the first, are black squares, since nobody uses them.
    """

    images: EncodedImages
    rows: Tensor
    labels: Tensor
    crops: ImagenetCrops
    undecoded: int = 0

    @override
    def passing_over(self, batches: int) -> "StreamedSplit":
        return replace(self, undecoded=batches)

    @override
    def batches(
        self, batch_size: int, order: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (uint8 images [batch, 3, size, size], labels); see `Examples.batches`.

        Raises DataError, naming the file, for an image that cannot be read.
        """
        indices = torch.arange(len(self)) if order is None else order.cpu()
        # Reading waits for the disk, and decoding does not hold Python's lock: two threads at least.
        pool = ThreadPoolExecutor(max(2, torch.get_num_threads()))
        ahead: deque[Callable[[], tuple[Tensor, Tensor]]] = deque()
        try:
            for number, chosen in enumerate(torch.split(indices, batch_size)):
                ahead.append(self._start(chosen, generator, pool, is_used=number >= self.undecoded))
                if len(ahead) > LOOK_AHEAD:
                    yield ahead.popleft()()
            while ahead:
                yield ahead.popleft()()
        finally:
            pool.shutdown(cancel_futures=True)

    def _start(
        self, chosen: Tensor, generator: torch.Generator | None, pool: ThreadPoolExecutor, *, is_used: bool
    ) -> Callable[[], tuple[Tensor, Tensor]]:
        """Have a batch decoded, and return what waits for it."""
        size, count, device = self.crops.size, len(chosen), self.labels.device
        drawn = self.crops.draw(count, generator) if generator is not None else [None] * count
        pixels = torch.zeros(count, size, size, 3, dtype=torch.uint8, pin_memory=device.type == "cuda")

        def decode(row: int, numbers: Sequence[float] | None, target: Array) -> None:
            image = self.images.open(row)
            for remark in remarks_of(image):
                warnings.warn(DataWarning(f"some images {remark}"), stacklevel=2)
            target[:] = np.asarray(self.crops.crop(image, numbers))

        decoded = pool.map(decode, self.rows[chosen].tolist(), drawn, pixels.numpy()) if is_used else ()

        def finish() -> tuple[Tensor, Tensor]:
            list(decoded)
            return pixels.to(device, non_blocking=True).permute(0, 3, 1, 2), self.labels[chosen.to(device)]

        return finish
