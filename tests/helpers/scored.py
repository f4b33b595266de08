"""Databases of trials with known scores, made by rows alone: no run folder, and any number of trials in no time."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from autoreg.database.connection import opened_for_writing
from autoreg.database.schema import registered

#: Units of the one layer of a network of width 1.
UNITS = 64
_SAID = datetime(2026, 1, 1)


def scored(path: Path, sweeps: Mapping[str, Mapping[str, Any]]) -> Path:
    """Make a results.db with some sweeps.

    Args:
        path: of the database.
        sweeps: by id, each with as much as it needs of

            - trials: each with `series` (the name of its initializer), `width` and `replicate`, and what is known of
              `auc`, the same in both definitions, `similar`, a whole number, `variant`, `status` (`not run` for none),
              `compressed`, `accuracy`, `learnt`, the share of random labels, and `dead`, the number of dead units;
            - metrics: those that it asks for, of themselves `ablation` and `similarity`;
            - groups: variant, width and parameters of settings without trials;
            - options: of its measurements.
    """
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in (
        "sweeps", "sweep_groups", "sweep_trials", "sweep_measurements", "trials", "layers", "measurements", "ablation",
        "units", "correlations", "compression", "compressed_layers",
    )}  # fmt: skip
    for sweep, asked in sweeps.items():
        tables["sweeps"].append(
            {"sweep_id": sweep, "name": sweep, "figures": [], "definition": "{}", "updated_at": _SAID}
        )
        options = asked.get("options", "{}")
        tables["sweep_measurements"] += [
            {"sweep_id": sweep, "metric": metric, "split": "test", "measurement_id": f"{metric} {options}"}
            for metric in asked.get("metrics", ("ablation", "similarity"))
        ]
        tables["sweep_groups"] += [
            {"sweep_id": sweep, "group_id": f"g{n}", "network": "mlp", "dataset": "noise", "epochs": 0, **group}
            for n, group in enumerate(asked.get("groups", ()))
        ]
        for number, trial in enumerate(asked.get("trials", ())):
            _add(tables, sweep, f"{sweep} {number}", trial, options)
    with opened_for_writing(path, 10.0) as connection:
        for name, rows in tables.items():
            if rows:
                with registered(connection, pl.DataFrame(rows, infer_schema_length=None)):
                    connection.execute(f"insert into {name} by name select * from new_rows")
    return path


def _add(
    tables: dict[str, list[dict[str, Any]]], sweep: str, identity: str, trial: Mapping[str, Any], options: str
) -> None:
    series, width, replicate = (trial[name] for name in ("series", "width", "replicate"))
    variant, network = trial.get("variant"), str(trial.get("variant") or "mlp").lower()
    group = f"{sweep} {variant} {series} {width}"
    own = {"trial_id": identity, "split": "test", "layer": "first", "sample": 0}
    tables["sweep_trials"].append({"sweep_id": sweep, "trial_id": identity, "group_id": group, "kind": "final"})
    if all(row["group_id"] != group for row in tables["sweep_groups"]):
        tables["sweep_groups"].append(
            {
                "sweep_id": sweep, "group_id": group, "variant": variant, "network": network, "dataset": "noise",
                "width": width, "epochs": 1, "parameters": 10,
            }
        )  # fmt: skip
    status = trial.get("status", "done")
    if status == "not run":
        return
    tables["trials"].append(
        {
            "trial_id": identity, "config_id": group, "kind": "final", "network": network, "dataset": "noise",
            "width": width, "initializer": series, "optimizer": "sgd", "augmentation": False, "dropout": 0.0,
            "weight_decay": 0.0, "random_labels": "learnt" in trial, "learning_rate": 0.1, "batch_size": 1,
            "lr_batch_factor": 1.0, "replicate": replicate, "status": status, "parameters": 10, "epochs_run": 1,
            "train_accuracy": trial.get("learnt"), "test_accuracy": trial.get("accuracy", 0.9), "seconds": 1.0,
            "config": '{"epochs": 1}', "environment": "{}", "finished_at": _SAID,
        }
    )  # fmt: skip
    units = int(UNITS * width)
    tables["layers"].append({"trial_id": identity, "layer_index": 0, "layer": "first", "units": units, "positions": 1})

    def measured(metric: str) -> dict[str, Any]:
        tables["measurements"].append(
            {
                "trial_id": identity, "measurement_id": f"{metric} {options}", "metric": metric,
                "version": 1, "split": "test", "options": options,
            }
        )  # fmt: skip
        return {**own, "measurement_id": f"{metric} {options}"}

    if "auc" in trial:
        row = {**measured("ablation"), "unchanged": trial["auc"], "accuracy": 0.5}
        for scope, granularity, layer in (("network", "kernel", None), ("layer", "application", "first")):
            more = {"scope": scope, "granularity": granularity, "layer": layer}
            tables["ablation"] += [{**row, **more, "fraction": fraction} for fraction in (0.0, 1.0)]
    if "similar" in trial:
        row, dead = measured("similarity"), trial.get("dead", 0)
        tables["units"] += [
            {**row, "unit": unit, "similar_units": None if unit < dead else trial["similar"], "dead": unit < dead}
            for unit in range(units)
        ]
        tables["correlations"].append(
            {**row, "bin_low": 0.95, "bin_high": 0.96, "pairs": (units - dead) * trial["similar"] // 2}
        )
    if "compressed" in trial:
        row = {**measured("compression"), "surgery": "either", "rule": "error", "level": 0.1}
        del row["sample"]
        tables["compressed_layers"].append({**row, "units": units, "kept": int(UNITS * trial["compressed"])})
        del row["layer"]
        tables["compression"].append(
            {**row, "parameters": 5, "flops": 5, "unchanged_validation": 0.99, "unchanged": 0.99, "accuracy": 0.9}
        )
