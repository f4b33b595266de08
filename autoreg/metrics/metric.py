"""What a metric is: a function of a trained network and its data that gives a frame of rows."""

from collections.abc import Callable
from typing import Any

import polars as pl

from autoreg.registry import Registry

#: (network, dataset, split, replicate, *, options…) -> rows
Metric = Callable[..., pl.DataFrame]
metrics: Registry[Metric] = Registry("metric", "network", "dataset", "split", "replicate")

_VERSIONS: dict[str, int] = {}


def metric(version: int) -> Callable[[Metric], Metric]:
    """Register a metric under its function's name.

    Args:
        version: raise it when the numbers change; every trial is then measured again by this metric, and by no other.
    """

    def register(function: Metric) -> Metric:
        _VERSIONS[function.__name__] = version
        return metrics.register(function)

    return register


def version_of(name: str) -> int:
    """Return the version of a metric; a user's own metric, given by its path, may carry a `version` attribute."""
    function: Any = metrics[name]
    return _VERSIONS.get(name, getattr(function, "version", 1))
