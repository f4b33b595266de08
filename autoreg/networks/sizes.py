"""How many units a layer has at a width."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from autoreg.config.trial import scaled
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
