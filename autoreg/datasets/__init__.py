"""Datasets: one family a file; dropping a file with a registered function here adds a dataset."""

from autoreg.datasets.dataset import (
    Dataset,
    build_dataset,
    check_dataset,
    data_root,
    datasets,
    drawn_dataset,
    forget_datasets,
    load_dataset,
)
from autoreg.datasets.split import Examples, Split
from autoreg.registry import load_folder

load_folder(__name__, __path__)

__all__ = [
    "Dataset",
    "Examples",
    "Split",
    "build_dataset",
    "check_dataset",
    "data_root",
    "datasets",
    "drawn_dataset",
    "forget_datasets",
    "load_dataset",
]
