"""A dataset: three splits, and how a batch of them becomes the network's input."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from autoreg.config.trial import Choice, TrialConfig, canonical_json
from autoreg.datasets.split import Examples, Split
from autoreg.errors import AutoregError, ConfigError, with_kind
from autoreg.exits import told_exits
from autoreg.registry import Registry
from autoreg.seeds import derive_seed, generator_states

#: The `seed` of a dataset that each replicate draws anew.
BY_REPLICATE: Final = "replicate"
#: (root, *, options…) -> Dataset
datasets: Registry[Callable[..., "Dataset"]] = Registry("dataset", "root")
#: Names and options of those that no trial can change; what a user's functions draw from or count goes on.
_unchanging: set[tuple[str, str]] = set()


@dataclass(frozen=True)
class Dataset:
    """Three splits and the way from stored examples to network inputs.

    Attributes:
        input_shape: shape of one example as the network sees it.
        classes: number of labels.
        fingerprint: hash of the files that the data came from, or of how it was made.
        earlier: what earlier versions, which looked at names and sizes of files, call the same data.
        prepare: stored inputs → network inputs, without randomness.
        augment: stored inputs and a CPU generator → randomly changed network inputs; None if the dataset has none.
        evaluation_batch: how many examples a batch has unless asked otherwise; a metric holds all activations of one.
    """

    train: Examples
    validation: Examples
    test: Examples
    input_shape: tuple[int, ...]
    classes: int
    fingerprint: str
    prepare: Callable[[Tensor], Tensor] = Tensor.float
    augment: Callable[[Tensor, torch.Generator], Tensor] | None = None
    evaluation_batch: int = 250
    earlier: tuple[str, ...] = ()

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """All fingerprints that a trial on this data may have recorded, the one that it records now first."""
        return self.fingerprint, *self.earlier

    def split(self, name: str) -> Examples:
        """Return the split `train`, `validation` or `test`."""
        split: Examples = getattr(self, name)
        return split

    def batches(
        self,
        name: str,
        batch_size: int | None = None,
        order: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (network inputs, labels) of a split: the one way in which training, evaluation and metrics see inputs.

        Args:
            name: `train`, `validation` or `test`.
            batch_size: None for `evaluation_batch`; the last batch may be smaller.
            order: a permutation of the split's indices, or None for the stored order.
            generator: on the CPU; augments the inputs. Without one they are prepared, which has no randomness.

        Raises:
            ConfigError: there is a generator, but the dataset has no augmentation.
            DataError: an image that is decoded on the fly cannot be read.
        """
        if generator is not None and self.augment is None:
            raise ConfigError(f"the dataset {self.fingerprint} has no augmentation, got a generator for it")
        for stored, labels in self.split(name).batches(batch_size or self.evaluation_batch, order, generator):
            if self.augment is not None and generator is not None:
                yield self.augment(stored, generator), labels
            else:
                yield self.prepare(stored), labels

    def to(self, device: torch.device) -> "Dataset":
        """Return this dataset on a device."""
        return replace(
            self, train=self.train.to(device), validation=self.validation.to(device), test=self.test.to(device)
        )

    def with_random_labels(self, replicate: int) -> "Dataset":
        """Return this dataset with random train and validation labels; test labels stay true (paper, section 3).

        The labels depend on the replicate only, so that all widths of a replicate learn the same ones.
        """
        generator = torch.Generator().manual_seed(derive_seed(replicate, "random labels"))

        def randomised(split: Examples) -> Examples:
            labels = torch.randint(self.classes, (len(split),), generator=generator)
            return split.with_labels(labels.to(split.labels.device))

        return replace(self, train=randomised(self.train), validation=randomised(self.validation))


def data_root(root: Path | None) -> Path | None:
    """Return where data lies: the sweep's `dataset.root`, else the environment's AUTOREG_DATA, else None."""
    if root is None and os.environ.get("AUTOREG_DATA"):
        return Path(os.path.expanduser(os.environ["AUTOREG_DATA"]))  # noqa: PTH111, leaves ~nobody as it is
    return root


@lru_cache(maxsize=2)
def _load(name: str, options: str, root: Path | None, device: str) -> Dataset:
    # Workers train one trial after another on the same data: it stays on the device between them.
    states = generator_states(), torch.get_rng_state().numpy().tobytes()
    try:
        with told_exits():
            dataset = datasets[name](root, **json.loads(options))
    except (AutoregError, OSError):
        raise
    except (
        Exception,
        SystemExit,
    ) as error:  # sizes that no memory holds; and in a user's own function anything may go wrong
        raise ConfigError(f"dataset {name!r} cannot be made: {with_kind(error)}") from error
    if not isinstance(dataset, Dataset):
        raise ConfigError(f"dataset {name!r} must return a Dataset, got {type(dataset).__name__}")
    for part in ("train", "validation", "test"):
        _check_split(f"dataset {name!r}, {part}", dataset.split(part), dataset.classes)
    is_drawn = (generator_states(), torch.get_rng_state().numpy().tobytes()) != states
    if _is_data_alone(dataset) and not is_drawn:
        _unchanging.add((name, options))
    return dataset.to(torch.device(device))


def _check_split(name: str, split: Examples, classes: int) -> None:
    """Raise ConfigError unless each example has a class: -100 stands for none to PyTorch's loss."""
    labels = split.labels
    if labels.dtype != torch.int64 or labels.ndim != 1:
        raise ConfigError(f"{name}: labels must be int64, [examples], got {labels.dtype}, {tuple(labels.shape)}")
    if isinstance(split, Split) and len(split.inputs) != len(labels):
        raise ConfigError(f"{name}: there must be a label for each example, got {len(split.inputs)} and {len(labels)}")
    if len(wrong := labels[(labels < 0) | (labels >= classes)]):
        raise ConfigError(f"{name}: labels must be 0 to {classes - 1}, got {int(wrong[0])}")


def _is_data_alone(dataset: Dataset) -> bool:
    """Whether no code of a user's runs once a dataset is made."""
    splits = (dataset.train, dataset.validation, dataset.test)
    is_plain = type(dataset) is Dataset and all(type(split) is Split for split in splits)
    return is_plain and dataset.augment is None and dataset.prepare is Tensor.float


def drawn_dataset(config: TrialConfig) -> Choice:
    """Return the dataset that a trial names; `seed: replicate` stands for the number of the trial's replicate."""
    dataset = config.dataset
    if dataset.options.get("seed") != BY_REPLICATE:
        return dataset
    return dataset.model_copy(update={"options": {**dataset.options, "seed": config.replicate}})


def load_dataset(config: TrialConfig, root: Path | None, device: str = "cpu") -> Dataset:
    """Return the dataset that a trial names, with its true labels; see `build_dataset`."""
    dataset = drawn_dataset(config)
    return _load(dataset.name, canonical_json(dataset.options), data_root(root), device)


def forget_datasets() -> None:
    """Have datasets read anew in a process that lives on while their files change."""
    _load.cache_clear()
    _unchanging.clear()


def check_dataset(config: TrialConfig, dataset: Dataset) -> None:
    """Raise ConfigError if a trial asks for augmentation that the dataset has not, or for a batch larger than it."""
    if config.augmentation and dataset.augment is None:
        raise ConfigError(f"dataset {config.dataset.name!r} has no augmentation, got augmentation: true")
    if config.effective_batch_size > len(dataset.train):
        raise ConfigError(
            f"a batch must not be larger than the training set of {len(dataset.train)} examples, "
            f"got {config.effective_batch_size}"
        )


def build_dataset(config: TrialConfig, root: Path | None, device: str = "cpu") -> Dataset:
    """Return the dataset of a trial, on a device.

    Args:
        config: names the dataset and its options, and whether labels are random.
        root: the folder that holds data, or None for AUTOREG_DATA.
        device: `cpu` or `cuda`.

    Raises:
        DataError: the data is missing or damaged.
        ConfigError: the dataset does not fit the trial (`check_dataset`).
    """
    drawn = drawn_dataset(config)
    if ":" in drawn.name and (drawn.name, canonical_json(drawn.options)) not in _unchanging:
        forget_datasets()
    dataset = load_dataset(config, root, device)
    check_dataset(config, dataset)
    return dataset.with_random_labels(config.replicate) if config.random_labels else dataset
