"""Series: the lines of figures, each named by its variant and what else varies in it, as `final_trials.sql` does."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import compress, product
from typing import Any

from autoreg.config.factors import format_width
from autoreg.config.sections import REGULARIZERS
from autoreg.config.sweep import Sweep
from autoreg.config.trial import TrialConfig
from autoreg.packaged import packaged_folder


def clash_of_series(sweep: Sweep) -> tuple[int, str] | None:
    """Return which variant would have its points in the line of another, and what is wrong with it; None if none is."""
    points: dict[tuple[str, float], tuple[str, Any]] = {}
    for series, width, index, name, setting in figure_points(sweep):
        other, _ = known = points.setdefault((series, width), (name, setting))
        if known != (name, setting):
            place = f"{series!r} at {format_width(width)}x"
            return index, f"variants {other!r} and {name!r} would be one line of a figure, {place}; rename one of them"
    return None


def figure_points(sweep: Sweep) -> Iterator[tuple[str, float, int, str, Any]]:
    """Yield series, width, index and name of the variant, and setting of each point of a figure."""
    settings = defaultdict[str, list[tuple[int, list[float], Any]]](list)
    for index, (name, part) in enumerate(sweep.parts()):
        grid, training = part.grid, part.training
        rates = grid.learning_rate or []
        own = {key: getattr(training, key) for key in REGULARIZERS["none"]}
        axes = (
            map(str, grid.initializer or [part.initializer]),
            [tuple(REGULARIZERS[key].items()) for key in grid.regularizer or []] or [tuple(own.items())],
            grid.random_labels or [training.random_labels],
            map(str, grid.optimizer or [training.optimizer]),
            grid.parametrization or ["standard"],
            grid.richness or [None],
            rates if len(rates) > 1 else [None],
            grid.lr_batch_factor,
            grid.epochs or [training.epochs],
        )
        settings[str(name)] += [(index, grid.width, setting) for setting in product(*axes)]
    for name, own_settings in settings.items():
        labels = [_labels(*setting) for _, _, setting in own_settings]
        varies = [len(set(axis)) > 1 for axis in zip(*labels, strict=True)]
        for (index, widths, setting), words in zip(own_settings, labels, strict=True):
            series = ", ".join((name, *filter(None, compress(words, varies))))
            yield from ((series, width, index, name, setting) for width in widths)


def labels_of(config: TrialConfig) -> dict[str, str]:
    """Return what figures call the settings of a trial, by their axes of a grid."""
    regularizer = [(key, getattr(config, key)) for key in REGULARIZERS["none"]]
    choices = str(config.initializer), regularizer, config.random_labels, str(config.optimizer)
    labels = _labels(*choices, config.parametrization, config.richness, None, config.lr_batch_factor, config.epochs)
    axes = "initializer", "regularizer", "random_labels", "optimizer", "parametrization", "richness"
    return dict(zip(axes, labels, strict=False))


def _labels(
    initializer: str,
    regularizer: Any,
    random_labels: bool,
    optimizer: str,
    parametrization: str,
    richness: float | None,
    rate: float | None,
    factor: float,
    epochs: int,
) -> tuple[str, ...]:
    sigma = re.sub(r"^normal\(sigma=([^,]*?)(\.0)?\)$", r"σ = \1", initializer)
    return (
        _known_labels().get(("initializer", initializer), sigma),
        _known_labels()["regularizer", " + ".join(key for key, value in regularizer if value) or "none"],
        _known_labels()["random_labels", str(random_labels).lower()],
        _known_labels().get(("optimizer", optimizer), optimizer),
        parametrization,
        "no γ" if richness is None else f"γ = {richness:g}",
        "" if rate is None else f"η = {rate:g}",
        f"k = {factor:g}",
        f"{epochs} epochs",
    )


@cache
def _known_labels() -> dict[tuple[str, str], str]:
    with (packaged_folder("reference") / "labels.csv").open(encoding="utf-8", newline="") as file:
        return {(row["kind"], row["name"]): row["label"] for row in csv.DictReader(file)}
