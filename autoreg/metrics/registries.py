"""Everything that a sweep file may name, by the word for its kind."""

from typing import Any

from autoreg.datasets import datasets
from autoreg.metrics.metric import metrics
from autoreg.networks import networks
from autoreg.networks.initializers import initializers
from autoreg.registry import Registry
from autoreg.training.optimizers import optimizers, schedules

REGISTRIES: dict[str, Registry[Any]] = {
    "networks": networks,
    "datasets": datasets,
    "initializers": initializers,
    "optimizers": optimizers,
    "schedules": schedules,
    "metrics": metrics,
}
