"""Which trials cost the same: initial weights, labels and learning rates change nothing."""

from typing import NamedTuple

from autoreg.config.trial import TrialConfig


class Kind(NamedTuple):
    """Trials whose epochs cost the same at the same width and batch size, but for a few percent."""

    network: str
    dataset: str
    augmentation: bool
    optimizer: str
    precision: str
    is_averaged: bool


class Place(NamedTuple):
    """Where a trial's time was spent: its kind, its width, and the examples of its batches."""

    kind: Kind
    width: float
    batch_size: int


def kind_of(config: TrialConfig) -> Kind:
    """Return the kind that a trial is of."""
    return Kind(
        str(config.network), str(config.dataset), config.augmentation, str(config.optimizer), config.precision,
        config.weight_average > 0,
    )  # fmt: skip


def place_of(config: TrialConfig) -> Place:
    """Return where a trial's time is spent."""
    return Place(kind_of(config), config.width, config.effective_batch_size)
