"""What a metric is: a function of a trained network and its data that gives a frame of rows."""

from collections.abc import Callable

import polars as pl

from autoreg.registry import Registry

#: (network, dataset, split, replicate, *, options…) -> rows
Metric = Callable[..., pl.DataFrame]
#: (layers, **options) -> whether the rows of a network with these layers changed
Revised = Callable[..., bool]
metrics: Registry[Metric] = Registry("metric", "network", "dataset", "split", "replicate")


def metric(
    version: int, revised: Revised | None = None, *, by_default: bool = True, from_initial: bool = False
) -> Callable[[Metric], Metric]:
    """Register a metric under its function's name.

    Args:
        version: raise it when the numbers change; every trial is then measured again by this metric, and by no other.
        revised: which networks' numbers changed since then. They are measured as the next version, others stay.
        by_default: whether `measure_model` takes it.
        from_initial: whether it takes a network that remembers itself before training (`Network.initial`).
    """

    def register(function: Metric) -> Metric:
        function.version, function.revised = version, revised  # type: ignore[attr-defined]
        function.by_default = by_default  # type: ignore[attr-defined]
        function.from_initial = from_initial  # type: ignore[attr-defined]
        return metrics.register(function)

    return register


def version_of(name: str) -> int:
    """Return a metric's attribute `version`; 1 for one of the user's own that has none."""
    version: int = getattr(metrics[name], "version", 1)
    return version


def revision_of(name: str) -> Revised | None:
    """Return which networks a metric measures as the version after its own, or None if there are none."""
    revised: Revised | None = getattr(metrics[name], "revised", None)
    return revised


def default_metrics() -> list[str]:
    """Return the metrics that `measure_model` takes."""
    return [name for name in metrics if getattr(metrics[name], "by_default", True)]


def is_from_initial(name: str) -> bool:
    """Whether a metric compares a network with itself before training."""
    return bool(getattr(metrics[name], "from_initial", False))
