"""Examples and labels as people hand them over, tensors, arrays, lists or a loader, as tensors that were checked."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autoreg.datasets.dataset import Dataset
from autoreg.datasets.split import Split
from autoreg.errors import ConfigError, first_line


def given_examples(inputs: Any, labels: Any, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
    """Return the examples, [examples, …], and their labels as they are; see `checked_labels`.

    Args:
        inputs: a tensor, which is taken as it is; an array or nested lists of numbers; or an iterable of batches, which
            are pairs of inputs and labels.
        labels: of the examples; None beside a loader, and if there are none.
        dtype: of the fractions in arrays and lists.

    Raises:
        ConfigError: there are no examples, not a label for each, or something else than numbers.
    """
    if isinstance(inputs, Tensor | np.ndarray) or _is_of_numbers(inputs):
        pairs = [(_tensor(inputs, dtype), None if labels is None else _tensor(labels, dtype))]
    else:
        if not isinstance(inputs, Iterable):
            raise ConfigError(f"inputs are a tensor, an array, lists or a loader, got {type(inputs).__name__}")
        batches = list(inputs)
        if labels is not None or not all(isinstance(batch, tuple | list) and len(batch) == 2 for batch in batches):
            raise ConfigError("a loader gives pairs of inputs and labels, without labels beside it")
        pairs = [(_tensor(some, dtype), _tensor(theirs, dtype)) for some, theirs in batches]
    for some, theirs in pairs or [(torch.empty(0), None)]:
        if some.layout != torch.strided:
            raise ConfigError(f"inputs are dense tensors, got {some.layout}: use to_dense()")
        shapes = [0 if part is None else len(part) if part.ndim else "a single number" for part in (some, theirs)]
        if not some.ndim or not len(some) or (theirs is not None and shapes[0] != shapes[1]):
            given = "none" if theirs is None else shapes[1]
            raise ConfigError(f"there must be examples, and a label for each, got {shapes[0]} and {given}")
    examples = torch.cat([some for some, _ in pairs])
    known = [theirs for _, theirs in pairs if theirs is not None]
    return examples, torch.cat(known) if known else None


def checked_labels(labels: Tensor, classes: int) -> Tensor:
    """Return labels, [examples] or [examples, 1], as int64, [examples]. Raises ConfigError if they are no labels."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ConfigError(f"labels are the numbers of classes, [examples], got {tuple(labels.shape)}: use argmax(1)")
    if labels.is_floating_point() or labels.is_complex():
        raise ConfigError(f"labels are whole numbers, got {labels.dtype}")
    labels = labels.long()
    lowest, highest = int(labels.min()), int(labels.max())
    if lowest < 0 or highest >= classes:
        raise ConfigError(f"labels are 0 to {classes - 1}, one for each logit, got {lowest} to {highest}")
    return labels


def given_dataset(splits: Sequence[Split], classes: int, batch_size: int = 250) -> Dataset:
    """Return a dataset of training, validation and test examples as a model takes them."""
    train, validation, test = splits
    shape = tuple(train.inputs.shape[1:])
    return Dataset(train, validation, test, shape, classes, "given", lambda given: given, evaluation_batch=batch_size)


def _is_of_numbers(given: Any) -> bool:
    """Whether lists, however nested, begin with a number."""
    while isinstance(given, list | tuple) and given:
        given = given[0]
    return isinstance(given, bool | int | float | np.number)


def _tensor(given: Any, dtype: torch.dtype) -> Tensor:
    if isinstance(given, Tensor):
        return given
    try:
        tensor = torch.as_tensor(np.asarray(given))
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(f"inputs and labels are numbers, got {type(given).__name__}: {first_line(error)}") from error
    return tensor.to(dtype) if tensor.is_floating_point() else tensor
