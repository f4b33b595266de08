"""Random inputs, labelled by a random small network (paper, section 3.1; released code: create_linear_dataset.py)."""

from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from autoreg.datasets.dataset import Dataset, datasets
from autoreg.datasets.split import Split
from autoreg.errors import ConfigError
from autoreg.seeds import derive_seed

#: The teacher is the paper's ¼x MLP.
TEACHER_UNITS = 32


@datasets.register
def teacher(
    root: Path | None,
    *,
    dimensions: Annotated[int, Field(ge=1)] = 10,
    train_size: Annotated[int, Field(ge=1)] = 1000,
    validation_size: Annotated[int, Field(ge=1)] = 1000,
    test_size: Annotated[int, Field(ge=1)] = 1000,
    seed: int | Literal["replicate"] = 0,
) -> Dataset:
    """Return standard normal inputs, [examples, dimensions], labelled 0 or 1 by a teacher MLP of 32 ReLU units.

    A teacher that gives one of the labels to fewer than 40% of the inputs is redrawn (paper, section 3.1). `seed` makes
    another dataset. Replicates share one, as in the released code; with `seed: replicate` each draws a teacher and
    inputs of its own, replicate 1 for example those of seed 1. Needs no files.
    """
    sizes = [train_size, validation_size, test_size]
    generator = torch.Generator().manual_seed(derive_seed(seed, "teacher inputs", dimensions, *sizes))
    inputs = torch.randn(sum(sizes), dimensions, generator=generator)
    labels = _balanced_labels(inputs, seed)
    train, validation, test = map(Split, torch.split(inputs, sizes), torch.split(labels, sizes))
    fingerprint = f"teacher-{dimensions}-{'-'.join(map(str, sizes))}-{seed}"
    return Dataset(train, validation, test, (dimensions,), 2, fingerprint)


def _balanced_labels(inputs: Tensor, seed: int | str) -> Tensor:
    # The argmax does not change with the scale of a bias-free ReLU network, so the weights' sigma does not matter.
    hidden, output = torch.empty(inputs.shape[1], TEACHER_UNITS), torch.empty(TEACHER_UNITS, 2)
    for attempt in range(1000):
        generator = torch.Generator().manual_seed(derive_seed(seed, "teacher weights", attempt))
        for weight in (hidden, output):
            nn.init.trunc_normal_(weight, generator=generator)
        labels: Tensor = ((inputs @ hidden).relu() @ output).argmax(1)
        if 0.4 <= labels.float().mean().item() <= 0.6:
            return labels
    raise ConfigError(
        f"no teacher out of 1000 gave each label to 40–60% of the {len(inputs)} inputs; use more examples"
    )
