"""Sweeps of tiny MLPs, of as many trials and as long ones as a test needs."""

import json
from pathlib import Path
from typing import Any

#: A sweep as it may be written by hand, for overrides of any of its keys.
SWEEP = """\
name: small
network: mlp
dataset: {name: teacher, train_size: 200, validation_size: 100, test_size: 100}
grid: {width: [1/4, 1/2]}
replicates: 1
training: {learning_rate: 0.1, batch_size: 50, epochs: 2}
"""
TUNE = "tune={trials: 2, epochs: 1, space: {learning_rate: {low: 1e-3, high: 1}}}"
SIZES = {"train_size": 200, "validation_size": 100, "test_size": 100}


def write_sweep(path: Path, *, epochs: int = 3, tuning: int = 0, replicates: int = 2, **changes: Any) -> Path:
    """Write a sweep of two widths; with `tuning`, that many tuning trials for each of them."""
    sweep = {
        "name": path.stem,
        "network": "mlp",
        "dataset": {"name": "teacher", **SIZES},
        "grid": {"width": ["1/4", "1/2"]},
        "replicates": replicates,
        "training": {"learning_rate": 0.1, "batch_size": 50, "epochs": epochs},
        "measure": {"metrics": {"ablation": {"fractions": 3, "samples": 1}, "similarity": {"samples": 1}}},
        **changes,
    }
    if tuning:
        space = {"learning_rate": {"low": 1e-3, "high": 1}}
        sweep["tune"] = {"space": space, "trials": tuning, "epochs": epochs, "startup": 3, "warmup": 1}
    path.write_text(json.dumps(sweep), encoding="utf-8")  # which is YAML too
    return path
