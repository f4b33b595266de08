"""Metrics: one file each; dropping a file with a registered function here adds a metric and its table."""

from autoreg.metrics.metric import Metric, metrics
from autoreg.registry import load_folder

load_folder(__name__, __path__)

__all__ = ["Metric", "metrics"]
