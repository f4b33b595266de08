"""Images of any size as squares of one size: decoded once, held as bytes, and split where splits are missing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional

from autoreg.datasets.dataset import Dataset
from autoreg.datasets.images.cache import cached_array
from autoreg.datasets.images.cifar10_images import random_crops
from autoreg.datasets.images.streamed import EncodedImages, StreamedSplit
from autoreg.datasets.split import Split
from autoreg.errors import ConfigError
from autoreg.files import write_atomically
from autoreg.seeds import derive_seed

#: Share of an image's side by which it is shifted at most, as CIFAR-10's are by 4 of 32 pixels.
SHIFT = 1 / 8
#: Images that are decoded at a time.
CHUNK = 256


@dataclass(frozen=True)
class Squares:
    """The middle of an image, as its camera was held.

    Attributes:
        size: side of the square.
        channels: 3 for red, green and blue; 1 for grey.
    """

    size: int
    channels: int = 3

    def draw(self, count: int, generator: torch.Generator) -> list[list[float]]:
        """Return no numbers: the middle of an image is no matter of chance."""
        return [[] for _ in range(count)]

    def crop(self, image: Image.Image, drawn: Sequence[float] | None) -> Image.Image:
        """Return the middle of an image, its shorter side resized to `size`; grey as three equal channels."""
        square = ImageOps.fit(ImageOps.exif_transpose(image), (self.size, self.size), Image.Resampling.BILINEAR)
        return square if self.channels == 3 else square.convert("L").convert("RGB")

    def decode(self, images: EncodedImages) -> Iterator[Tensor]:
        """Yield all in order, uint8, [batch, channels, size, size]. Raises DataError, naming the damaged image."""
        split = StreamedSplit(images, torch.arange(len(images.labels)), images.labels, self)
        for decoded, _ in split.batches(CHUNK):
            yield decoded[:, : self.channels]


def decoded_once(path: Path, count: int, squares: Squares, decode: Callable[[], Iterator[Tensor]]) -> Tensor:
    """Return all images, uint8, [images, channels, size, size], decoded for this and every later process.

    Args:
        path: the file of the cache that keeps them; its name says what of.
        count: how many there are.
        squares: what each is made to.
        decode: gives them in order, some at a time.

    Raises:
        DataError: an image cannot be read, or the cache is damaged.
    """
    shape = (count, squares.channels, squares.size, squares.size)
    if not path.is_file():
        write_atomically(path, partial(_save, batches=decode(), shape=shape))
    return torch.from_numpy(cached_array(path, shape, np.uint8, mmap_mode="c"))


def _save(path: Path, batches: Iterator[Tensor], shape: tuple[int, ...]) -> None:
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    done = 0
    for decoded in batches:
        array[done : done + len(decoded)] = decoded.numpy()
        done += len(decoded)
    array.flush()


def held_out(
    split: Split, shares: dict[str, float], classes: Sequence[str], stratified: bool = True
) -> dict[str, Split]:
    """Return splits with the given shares of a split, in an order of their own, and as `train` what is left.

    Args:
        split: where they are taken from.
        shares: of each new split, in (0, 1).
        classes: names of the labels, for messages.
        stratified: whether of every class the same share is taken, and one image at least.

    Raises:
        ConfigError: a class has too few images to hold some out.
    """
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(derive_seed("image_folder")))
    owner = torch.zeros(len(split), dtype=torch.int64)  # 0 is for training
    ordered = split.labels[order]
    strata = [(f"class {name!r}", order[ordered == label]) for label, name in enumerate(classes)]
    for name, own in strata if stratified else [("the training split", order)]:
        counts = [max(1, round(share * len(own))) for share in shares.values()]
        if sum(counts) >= len(own) > 0 and shares:
            advice = "; `stratified: false` takes them from all classes together" if stratified else ""
            raise ConfigError(f"{name} has {len(own)} images, too few to hold {sum(counts)} of them out{advice}")
        if len(own):
            for place, chosen in enumerate(torch.split(own[: sum(counts)], counts), start=1):
                owner[chosen] = place
    rows = {"train": (owner == 0).nonzero()[:, 0]}
    rows |= {name: order[owner[order] == place] for place, name in enumerate(shares, start=1)}
    return {name: Split(split.inputs[chosen], split.labels[chosen]) for name, chosen in rows.items()}


def squares_dataset(splits: dict[str, Split], classes: int, fingerprint: str) -> Dataset:
    """Return three splits of squares as a dataset.

    Channels are standardised by the training images. Augmentation shifts by up to an eighth, in a black frame, and
    flips half of the time.
    """
    _, channels, size, _ = splits["train"].inputs.shape
    deviation, mean = torch.std_mean(splits["train"].inputs.float(), (0, 2, 3), correction=0, keepdim=True)
    deviation = deviation.clamp_min(1.0)  # of a channel that is the same everywhere

    def prepare(images: Tensor) -> Tensor:
        return (images.float() - mean.to(images.device)) / deviation.to(images.device)

    def augment(images: Tensor, generator: torch.Generator) -> Tensor:
        framed = functional.pad(images, [max(1, int(size * SHIFT))] * 4)
        return prepare(random_crops(framed, size, generator))

    return Dataset(
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        input_shape=(channels, size, size),
        classes=classes,
        fingerprint=fingerprint,
        prepare=prepare,
        augment=augment,
    )
