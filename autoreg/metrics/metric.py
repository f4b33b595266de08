"""What a metric is: a function of a trained network and its data that gives a frame of rows."""

from collections.abc import Callable

import polars as pl

from autoreg.registry import Registry

#: (network, dataset, split, replicate, *, options…) -> rows
Metric = Callable[..., pl.DataFrame]
metrics: Registry[Metric] = Registry("metric", "network", "dataset", "split", "replicate")


def metric(version: int) -> Callable[[Metric], Metric]:
    """Register a metric under its function's name.

    Args:
        version: raise it when the numbers change; every trial is then measured again by this metric, and by no other.
    """

    def register(function: Metric) -> Metric:
        function.version = version  # type: ignore[attr-defined]
        return metrics.register(function)

    return register


def version_of(name: str) -> int:
    """Return a metric's attribute `version`; 1 for one of the user's own that has none."""
    version: int = getattr(metrics[name], "version", 1)
    return version
