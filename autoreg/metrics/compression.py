"""Compressed width: how few of its units a network needs if the rest is taken out for real."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import polars as pl
import torch
from pydantic import Field

from autoreg.datasets import Dataset
from autoreg.errors import DataError
from autoreg.metrics.finite import unwatched
from autoreg.metrics.metric import metric
from autoreg.networks import Network
from autoreg.seeds import derive_seed
from autoreg.surgery.anatomy import Anatomy
from autoreg.surgery.draw import Draw
from autoreg.surgery.labelled import Labelled
from autoreg.surgery.levels import Levels, Narrow
from autoreg.surgery.order import SURGERIES, Surgery
from autoreg.surgery.surgeon import Surgeon, examine

#: All surgeries, as a sweep file may name them.
ALL: list[Surgery] = list(SURGERIES)
#: Shares of every layer that are taken out, as `ablation` drops them.
SHARES = [step / 6 for step in range(1, 6)]


@metric(version=1, by_default=False)
@torch.inference_mode()
def compression(
    network: Network,
    dataset: Dataset,
    split: str,
    replicate: int,
    *,
    surgeries: Annotated[list[Surgery], Field(min_length=1)] = ALL,
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.5,
    levels: Annotated[int, Field(ge=2)] = 10,
    examples: Annotated[int | None, Field(ge=1)] = 2000,
) -> pl.DataFrame:
    """Return what is left of a network, and of its labels, at each level to which its units are taken out.

    Orders and mends come from the training split, and each level is a really narrower network (`autoreg.surgery`). A
    layer is a set of units that are kept or taken out together, called by the measured layer that it is. By the rule
    `error` every layer loses as many units as it can with the same error at all; `refined` are errors between those,
    where few labels change; by `share` every layer loses the same share.

    Args:
        network: in evaluation mode.
        dataset: on the network's device; `validation` must not be empty.
        split: `train`, `validation` or `test`: where labels are compared.
        replicate: seeds the choice of examples and of activation vectors.
        surgeries: of `drop`, `merge`, `either` and `rebuild`; see `autoreg.surgery.orders`.
        threshold: smallest |Pearson r| of units that are merged, in (0, 1].
        levels: how many errors there are, from 10⁻⁴ to 10^-½ of the variance that the next layer sees; at least 2.
        examples: how many of each split are looked at, drawn at random and held in memory; None for all.

    Returns:
        Rows of three kinds, the columns of the others being null:

        - of each surgery, rule and level: layers and kept, lists by layer (kept counts a constant unit too, where one
          stands for offsets); parameters and flops (of one example); and shares of examples in [0, 1]:
          unchanged_validation and unchanged (same label as the intact network, on validation and on the split; the
          former is null by `share`, since no level is chosen there) and accuracy (true label, on the split);
        - of each layer: units, whole (why none may be taken out) and eigenvalues (of the covariance of its units where
          they are read first, on the training split, from the largest on);
        - of each surgery and layer: taken (its units, in their order) and errors (with each and all before taken out).

    Raises:
        ConfigError: the network cannot be traced, or is not the same when it is narrower.
        DataError: the validation split is empty, or logits of a narrower network are not finite.
    """
    if not len(dataset.validation):
        raise DataError("compression needs a validation split, which chooses how far a network is cut, got none")
    draw = Draw(dataset, replicate, examples)
    plain = unwatched(network)  # what hooks do is not known
    plain.richness = None  # units are those of f
    anatomy = Anatomy(plain, next(draw.batches(split))[0][:2])
    seed = derive_seed(replicate, "compression", "vectors")
    training = (inputs for inputs, _ in draw.batches("train"))
    surgeon = examine(anatomy, training, examples=draw.count("train"), threshold=threshold, seed=seed)
    shown = Labelled.of(network, draw.batches(split))
    validation = shown if split == "validation" else Labelled.of(network, draw.batches("validation"))
    measured = Levels(surgeon, validation, shown)
    rows = [
        {"surgery": surgery, **row} for surgery in dict.fromkeys(surgeries) for row in _rows(measured, surgery, levels)
    ]
    return pl.DataFrame([*rows, *_layers(surgeon)], schema=SCHEMA)


#: A row has the columns of its kind.
SCHEMA: dict[str, Any] = {
    "surgery": pl.String,
    "rule": pl.String,
    "level": pl.Float64,
    "layers": pl.List(pl.String),
    "kept": pl.List(pl.Int32),
    "parameters": pl.Int64,
    "flops": pl.Int64,
    "unchanged_validation": pl.Float64,
    "unchanged": pl.Float64,
    "accuracy": pl.Float64,
    "layer": pl.String,
    "units": pl.Int32,
    "whole": pl.String,
    "eigenvalues": pl.List(pl.Float64),
    "taken": pl.List(pl.Int32),
    "errors": pl.List(pl.Float64),
}


def _rows(measured: Levels, surgery: Surgery, levels: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of a surgery, the intact network's first."""
    surgeon = measured.surgeon
    errors = measured.errors(surgery, levels)
    yield _row(measured.narrow(surgery, (0,) * len(surgeon.anatomy.sites)), "error", 0.0)
    for error, rule in sorted(errors.items()):
        yield _row(measured.within(surgery, error), rule, error)
    for share in SHARES:
        if (counts := surgeon.share(surgery, share)) is not None:
            yield _row(measured.narrow(surgery, counts), "share", share)
    for index, site in enumerate(surgeon.anatomy.sites):
        if site.whole is None:
            order = surgeon.order(index, surgery)
            yield {"layer": site.name, "taken": order.units.tolist(), "errors": order.errors.tolist()}


def _row(narrow: Narrow, rule: str, level: float) -> dict[str, Any]:
    return {
        "rule": rule,
        "level": level,
        "layers": [site.name for site in narrow.surgeon.anatomy.sites],
        "unchanged_validation": None if rule == "share" else narrow.on_validation,
        **asdict(narrow.facts),
    }


def _layers(surgeon: Surgeon) -> list[dict[str, Any]]:
    return [
        {"layer": site.name, "units": site.units, "whole": site.whole, "eigenvalues": surgeon.eigenvalues(index)}
        for index, site in enumerate(surgeon.anatomy.sites)
    ]
