"""How many units a layer has at a width, and how large images are."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from autoreg.config.factors import scaled
from autoreg.errors import ConfigError

_product: ContextVar[Callable[[int, float], int]] = ContextVar("_product", default=scaled)


def units(base: int, width: float) -> int:
    """Return the units of a layer at a width factor, rounded down exactly. Raises ConfigError if none is left."""
    count = _product.get()(base, width)
    if count < 1:
        raise ConfigError(f"a width must leave a unit in every layer, got {width} of {base} units")
    return count


@contextmanager
def units_as_before() -> Iterator[None]:
    """Have `units` multiply as earlier versions did: as floats, 100 · 0.29 is less than 29."""
    token = _product.set(lambda base, width: int(base * width))
    try:
        yield
    finally:
        _product.reset(token)


def image_shape(input_shape: Sequence[int]) -> tuple[int, int, int]:
    """Return the channels, height and width of an image. Raises ValueError if the inputs are not images."""
    if len(input_shape) != 3:
        raise ValueError("it needs images: channels, height and width")
    channels, height, breadth = input_shape
    return channels, height, breadth
