"""A packaged sweep at a scale that a test can pay for: its variants, series, metrics and figures stay."""

import json
from pathlib import Path
from typing import Any

from autoreg.config import strict_yaml
from autoreg.packaged import find_sweep

#: The one sweep that is also tuned; the search itself is the same for all.
TUNED = "quickstart"
SIZES = {"train_size": 24, "validation_size": 8, "test_size": 8}
#: A quarter of it, and four times it, still is a batch.
BATCH = 4


def tiny_sweep(name: str, folder: Path, real: dict[str, Any] | None = None) -> Path:
    """Write a packaged sweep for few and small images, one epoch and its narrowest widths, and return the file.

    Noise stands in for images; with `real`, options of the dataset's own, they are real, and so is the augmentation.
    """
    sweep: dict[str, Any] = strict_yaml.parse(find_sweep(name).read_text(encoding="utf-8"), name).data
    if sweep["replicates"]:
        shrink(sweep, real)
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(sweep), encoding="utf-8")  # which is YAML too
    return path


def shrink(sweep: dict[str, Any], real: dict[str, Any] | None) -> None:
    sweep["replicates"] = 1
    narrowest = sweep["grid"]["width"] if "width" in sweep.get("grid", {}) else ["1/4"]
    widths = narrowest[: 2 if sweep["network"] == "mlp" else 1]
    if "variants" in sweep:
        sweep["variants"] = [each for each in sweep["variants"] if _is_narrow(each, widths)]
    for part in (sweep, *sweep.get("variants", [])):
        shrink_part(part, widths, real)
    if sweep["name"] == TUNED:
        sweep["tune"] |= {"trials": 2, "epochs": 1, "startup": 1, "warmup": 0}
    else:
        for part in (sweep, *sweep.get("variants", [])):
            part.pop("tune", None)
    sweep.pop("resources", None)  # whose cores would have trials wait for each other
    sweep["measure"]["metrics"] = {"ablation": {"fractions": 2, "samples": 1}, "similarity": {"samples": 1}}


def _is_narrow(variant: dict[str, Any], widths: list[Any]) -> bool:
    return "width" not in variant.get("grid", {}) or widths[0] in variant["grid"]["width"]


def shrink_part(part: dict[str, Any], widths: list[Any], real: dict[str, Any] | None) -> None:
    """Shrink what a sweep or one of its variants says itself."""
    network = part.get("network", "")
    if "dataset" in part:
        part["dataset"] = small_dataset(part["dataset"], network) if real is None else part["dataset"] | SIZES | real
    if str(network).startswith("inception"):
        part["network"] = {"name": network, "auxiliary": False}  # which asks for images of 299 pixels
    if "width" in part.get("grid", {}):
        part["grid"]["width"] = widths
    for axis in {"richness", "learning_rate"} & part.get("grid", {}).keys():
        part["grid"][axis] = part["grid"][axis][:2]
    several = "epochs" in part.get("grid", {})
    if several:
        part["grid"]["epochs"] = [1, 2]
    training = part.get("training", {})
    small = {"epochs": 2 if several else 1, "batch_size": BATCH, **({"augmentation": False} if real is None else {})}
    part["training"] = training | {key: value for key, value in small.items() if key in training}


def small_dataset(dataset: dict[str, Any], network: str) -> dict[str, Any]:
    """Return noise in place of images; a teacher with few examples of as many dimensions."""
    if dataset["name"] == "teacher":
        return dataset | SIZES
    if str(network).startswith("inception"):  # whose smallest images are large, and no batch is larger than BATCH
        return {"name": "noise", "shape": [3, 75, 75], **SIZES, "train_size": 2 * BATCH}
    return {"name": "noise", "shape": [3, 32, 32], **SIZES}
