"""What a count of unchanged labels says of the share that it was drawn from."""

import math
from bisect import bisect_left

from scipy.special import betaincinv

from autoreg.errors import ConfigError

#: How often a bound may be wrong.
ERROR = 0.05


def lower_bound(hits: int, examples: int) -> float:
    """Return the one-sided 95 % lower bound of a share of which so many of the examples are (Clopper, Pearson 1934)."""
    return float(betaincinv(hits, examples - hits + 1, ERROR)) if hits else 0.0


def least_hits(share: float, examples: int) -> int:
    """Return the smallest count whose lower bound reaches a share; for a share of 1, which no bound reaches, all.

    Raises:
        ConfigError: so few examples cannot say it.
    """
    if share == 1:
        return examples
    hits = bisect_left(range(examples + 1), share, key=lambda hits: lower_bound(hits, examples))
    if hits > examples:
        needed = math.ceil(math.log(ERROR) / math.log(share))
        raise ConfigError(f"unchanged={share:g} takes at least {needed} examples to choose a level by, got {examples}")
    return hits
