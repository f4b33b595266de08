"""A network as narrow as it can be while its labels stay: which level is chosen by which examples."""

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import torch
from torch import nn

from autoreg import __version__
from autoreg.config.trial import TrialConfig
from autoreg.datasets import Dataset, Split
from autoreg.datasets.given import checked_labels, given_dataset, given_examples
from autoreg.errors import ConfigError, DataError, did_you_mean
from autoreg.networks import Network
from autoreg.networks.given_model import device_and_type
from autoreg.runs.folder import TrialFolder
from autoreg.seeds import derive_seed
from autoreg.surgery.anatomy import Anatomy
from autoreg.surgery.bound import least_hits
from autoreg.surgery.draw import Draw
from autoreg.surgery.labelled import Labelled
from autoreg.surgery.levels import Levels, Narrow, error_grid, size_of
from autoreg.surgery.order import SURGERIES, Surgery
from autoreg.surgery.sites import Cut
from autoreg.surgery.small import Small
from autoreg.surgery.surgeon import Surgeon, examine
from autoreg.training.precision import precision_of
from autoreg.training.trained import load_trained

#: How many examples of each split are looked at, at most.
EXAMPLES = 10_000
#: How many errors are tried, besides those between the last that will do and the next.
LEVELS = 10
#: How many examples the batch has that is timed.
BATCH = 250
#: Smallest |Pearson r| of units that are merged (paper, section 3).
THRESHOLD = 0.5


def check_asked(unchanged: float, surgery: str) -> Surgery:
    """Return the surgery. Raises ConfigError if there is none such, or the share of labels is out of its range."""
    if not 0 < unchanged <= 1:
        raise ConfigError(f"unchanged is a share of the labels in (0, 1], got {unchanged:g}")
    for known in SURGERIES:
        if surgery == known:
            return known
    raise ConfigError(f"unknown surgery {surgery!r}{did_you_mean(str(surgery), SURGERIES)}")


def compress_trial(
    folder: TrialFolder,
    *,
    unchanged: float,
    surgery: str,
    examples: int | None = EXAMPLES,
    device: str = "cpu",
    say: Callable[[str], object] = lambda _: None,
) -> Small:
    """Return a trained trial's network, narrower; data is in AUTOREG_DATA. See `compress_network`.

    Raises:
        DataError: its checkpoint, its data or its network is missing, damaged or not as it was (`load_trained`).
    """
    check_asked(unchanged, surgery)
    config, _, dataset, network = load_trained(folder, device=device)
    return compress_trained(config, network, dataset, unchanged=unchanged, surgery=surgery, examples=examples, say=say)


def compress_trained(
    config: TrialConfig, network: Network, dataset: Dataset, *, examples: int | None = EXAMPLES, **asked: Any
) -> Small:
    """Return a trial's network, narrower, by the trial's own data; see `compress_network`.

    Raises:
        ConfigError: it has a richness.
    """
    if config.richness is not None:
        raise ConfigError("with a richness, logits are less f₀, which is the whole network: it cannot be made smaller")
    anatomy = Anatomy(network, next(dataset.batches("train", 2))[0])
    provenance = {"trial_id": config.trial_id, "config": config.model_dump(mode="json")}
    return compress_network(
        anatomy, dataset, seed=config.replicate, examples=examples, width=config.width, provenance=provenance, **asked
    )


def compress_model(
    model: nn.Module, inputs: Any, labels: Any, *, seed: int, examples: int | None = EXAMPLES, **asked: Any
) -> Small:
    """Return any model, narrower, by random thirds of some inputs; see `compress_network` and `autoreg.compress`."""
    check_asked(asked["unchanged"], asked["surgery"])
    device, dtype = device_and_type(model)
    inputs, labels = given_examples(inputs, labels, dtype)
    anatomy = Anatomy(model, inputs[:2].to(device))
    true = torch.zeros(len(inputs), dtype=torch.int64) if labels is None else checked_labels(labels, anatomy.classes)
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(derive_seed(seed, "thirds")))
    thirds = [Split(inputs[part], true[part]).to(device) for part in order.tensor_split(3)]
    dataset = given_dataset(thirds, anatomy.classes)
    return compress_network(anatomy, dataset, seed=seed, examples=examples, has_labels=labels is not None, **asked)


def compress_network(
    anatomy: Anatomy,
    dataset: Dataset,
    *,
    unchanged: float,
    surgery: str,
    seed: int,
    examples: int | None = EXAMPLES,
    has_labels: bool = True,
    width: float | None = None,
    provenance: Mapping[str, Any] | None = None,
    say: Callable[[str], object] = lambda _: None,
) -> Small:
    """Return the narrowest network whose labels stay.

    Orders and mends come from the training split. The level is the largest error for which the one-sided 95 % lower
    bound of the share of unchanged labels reaches `unchanged` on validation. The test split judges, and chooses
    nothing.

    Args:
        anatomy: of the network.
        dataset: on its device.
        unchanged: share of the labels that is to stay, in (0, 1]; 1 asks that all stay on validation.
        surgery: `drop`, `merge`, `either` or `rebuild`; see `autoreg.surgery.orders`.
        seed: of the choice of examples and of activation vectors.
        examples: how many of each split are looked at, drawn at random; those of validation and test are held in
            memory; None for all.
        has_labels: whether the dataset's labels are true ones.
        width: of the network, if it has one.
        provenance: plain data that its file has too.
        say: is told what is being done, one line at a time.

    Raises:
        ConfigError: an argument is out of its range; no unit may be taken out, and why; validation is too small.
        DataError: validation or test is empty; activations or logits are not finite.
    """
    wanted, draw = check_asked(unchanged, surgery), Draw(dataset, seed, examples)
    for split in ("validation", "test"):
        if not len(dataset.split(split)):
            raise DataError(f"compressing needs examples of the {split} split, got none")
    least = least_hits(unchanged, draw.count("validation")) / draw.count("validation")
    _require_sites(anatomy)
    with precision_of("float32", anatomy.example.device), torch.inference_mode():
        say(f"looking at units on {draw.count('train'):,} examples")
        surgeon = examine(
            anatomy, (inputs for inputs, _ in draw.batches("train")),
            examples=draw.count("train"), threshold=THRESHOLD, seed=derive_seed(seed, "compression", "vectors"),
        )  # fmt: skip
        _require_finite(surgeon)
        chooses, judges = (Labelled.of(anatomy.model, draw.batches(split)) for split in ("validation", "test"))
        levels, found = Levels(surgeon, chooses, judges), dict[float, Narrow]()

        def look(error: float) -> None:
            found[error] = levels.within(wanted, error)
            kept = f"{_units(found[error])} of {sum(site.units for site in anatomy.sites)} units"
            say(f"error {error:.1e}: {kept}, {found[error].on_validation:.2%} of {chooses.examples:,} labels unchanged")

        found[0.0] = levels.narrow(wanted, (0,) * len(anatomy.sites))
        for error in (grid := error_grid(LEVELS)):
            look(error)
        look(levels.largest(wanted, grid, least))
        chosen = found[max(error for error, narrow in found.items() if narrow.on_validation >= least)]
        cuts, facts, before = chosen.cuts(), chosen.facts, size_of(anatomy.narrow({}), anatomy.example)
    return Small(
        model=anatomy.narrow(cuts),  # anew, since what is made in inference mode cannot be trained
        layers=_fate_of_units(surgeon, wanted, cuts),
        curve=pl.DataFrame([_point(error, narrow) for error, narrow in sorted(found.items())]),
        surgery=wanted,
        asked=unchanged,
        parameters=(before[0], facts.parameters),
        flops=(before[1], facts.flops),
        examples=judges.examples,
        hits=round(facts.unchanged * judges.examples),
        accuracy=(judges.accuracy, facts.accuracy) if has_labels else None,
        width=width,
        provenance={"autoreg": __version__, "torch": str(torch.__version__), **(provenance or {})},
        _layout=anatomy.layout(cuts),
        _before=anatomy.model,
        _batch=next(dataset.batches("test", BATCH))[0],
    )


def _require_sites(anatomy: Anatomy) -> None:
    if all(site.whole is not None for site in anatomy.sites):
        reasons = "; ".join(f"{site.name}: {site.whole}" for site in anatomy.sites[:3]) or "it has no hidden layer"
        raise ConfigError(f"{type(anatomy.model).__name__} has no layer of which units may be taken out ({reasons})")


def _require_finite(surgeon: Surgeon) -> None:
    for site, readings in zip(surgeon.anatomy.sites, surgeon.readings, strict=True):
        if not all(reading.second.isfinite().all() and reading.gram.isfinite().all() for reading in readings):
            raise DataError(f"activations must be finite numbers, got NaN or ±inf in layer {site.name}")


def _units(narrow: Narrow) -> int:
    return sum(narrow.surgeon.kept(narrow.cuts()))


def _point(error: float, narrow: Narrow) -> dict[str, Any]:
    sites, kept = narrow.surgeon.anatomy.sites, narrow.surgeon.kept(narrow.cuts())
    share = sum(count / site.units for count, site in zip(kept, sites, strict=True)) / len(sites)
    return {"error": error, "units": sum(kept), "share_kept": share, "unchanged": narrow.on_validation}


def _fate_of_units(surgeon: Surgeon, surgery: Surgery, cuts: Mapping[int, Cut]) -> pl.DataFrame:
    """Return a row for each set of units that are kept or taken out together; `Small.layers` says what is in it."""
    after, rows = surgeon.kept(cuts), []
    for index, site in enumerate(surgeon.anatomy.sites):
        cut = cuts.get(index)
        rows.append(
            {
                "layer": site.name,
                "before": site.units,
                "after": after[index],
                **dict.fromkeys(("dead", "dropped", "merged", "rebuilt", "constant"), 0),
                **(_taken(surgeon, index, surgery, cut, after[index]) if cut else {}),
                "whole": site.whole,
            }
        )
    return pl.DataFrame(rows, schema_overrides={"whole": pl.String})


def _taken(surgeon: Surgeon, site: int, surgery: Surgery, cut: Cut, after: int) -> dict[str, int]:
    """Return how many of a site's units went in which way."""
    removed = cut.removed(surgeon.anatomy.sites[site].units)
    dead, gone = torch.ones(len(removed), dtype=torch.bool), torch.ones(len(removed), dtype=torch.bool)
    for reading, mend in zip(surgeon.readings[site], cut.mends, strict=True):
        dead &= reading.second.diagonal()[removed] <= 0
        gone &= ~mend.matrix.any(1) & (mend.offset == 0)
    replaced = "rebuilt" if surgery == "rebuild" else "merged"
    counts = {"dead": int(dead.sum()), "dropped": int((gone & ~dead).sum()), replaced: int((~gone & ~dead).sum())}
    return counts | {"constant": after - len(cut.kept)}
