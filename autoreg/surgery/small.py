"""A narrower network to use: what it is, what it says, its file."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import torch
from torch import Tensor, nn

from autoreg.files import write_bytes
from autoreg.surgery.bound import lower_bound
from autoreg.surgery.narrow import Layout
from autoreg.surgery.small_file import exported, write_small

#: How often a batch is passed to be timed; other work on the machine only adds to it, so the quickest counts.
TIMES = 5


@dataclass(frozen=True, eq=False)
class Small:
    """A narrower network. Pairs are of the network before and after; shares are in [0, 1].

    Attributes:
        model: the narrower network, in evaluation mode, of the class of the one before.
        layers: a row for each set of units that are kept or taken out together: layer, its units before and after
            (a constant one that stands for offsets is counted), those that went because they are always 0 (dead), were
            set to 0 (dropped) or replaced (merged, rebuilt), constant (how many constant units), and whole (why no unit
            may go).
        curve: a row for each level that was tried: error (of what the next layer sees), units (that stay), share_kept
            (mean over the layers), unchanged (share of labels, on the examples that choose the level).
        surgery: how units were taken out.
        asked: the share of labels that was to stay.
        parameters: how many.
        flops: of one example.
        examples: how many judged; they chose nothing.
        hits: how many of them keep their label.
        accuracy: on them; None without true labels.
        width: the network's, if it has one.
        provenance: what made it, for its file.
    """

    model: nn.Module
    layers: pl.DataFrame
    curve: pl.DataFrame
    surgery: str
    asked: float
    parameters: tuple[int, int]
    flops: tuple[int, int]
    examples: int
    hits: int
    accuracy: tuple[float, float] | None
    width: float | None
    provenance: Mapping[str, Any]
    _layout: Layout
    _before: nn.Module
    _batch: Tensor

    @property
    def unchanged(self) -> float:
        """The share of labels that stay, on examples that chose nothing."""
        return self.hits / self.examples

    @property
    def bound(self) -> float:
        """The one-sided 95 % lower bound of `unchanged` (Clopper–Pearson)."""
        return lower_bound(self.hits, self.examples)

    @property
    def share_kept(self) -> float:
        """The share of a layer's units that stay, mean over the layers."""
        return float((self.layers["after"] / self.layers["before"]).mean())  # type: ignore[arg-type]

    @property
    def compressed_width(self) -> float | None:
        """The width times `share_kept`; None if the network has no width."""
        return None if self.width is None else self.width * self.share_kept

    @cached_property
    @torch.inference_mode()
    def seconds(self) -> tuple[float, float]:
        """How long a batch takes; it is timed when it is asked for, and once."""
        best = [float("inf"), float("inf")]
        for _ in range(TIMES + 1):  # the first ones warm up
            for place, model in enumerate((self._before, self.model)):
                started = time.perf_counter()
                model(self._batch).sum().item()  # which waits for a GPU
                best[place] = min(best[place], time.perf_counter() - started)
        return best[0], best[1]

    @property
    def batch(self) -> int:
        """How many examples the batch has that is timed."""
        return len(self._batch)

    def save(self, path: str | Path) -> None:
        """Write what `autoreg.narrow` needs to bring a fresh model to this one: weights and shapes, no code."""
        write_small(Path(path), self.model, self._layout, self._batch[:1], {**self.provenance, **self.summary()})

    def export(self, path: str | Path) -> None:
        """Write a program that `torch.export.load` reads without any code of the model's, for batches of any size.

        Raises:
            ConfigError: `torch.export` cannot export the model.
        """
        write_bytes(Path(path), exported(self.model, self._batch[:2]))

    def summary(self) -> dict[str, Any]:
        """Return its numbers as plain data."""
        return {
            "surgery": self.surgery, "asked": self.asked, "unchanged": self.unchanged, "bound": self.bound,
            "examples": self.examples, "accuracy": self.accuracy and list(self.accuracy),
            "parameters": list(self.parameters), "flops": list(self.flops), "width": self.width,
            "compressed_width": self.compressed_width, "layers": self.layers.to_dicts(),
        }  # fmt: skip

    def __repr__(self) -> str:
        before, after = self.layers["before"].sum(), self.layers["after"].sum()
        labels = f"{self.unchanged:.2%} of {self.examples:,} labels unchanged, at least {self.bound:.2%}"
        return f"<{type(self.model).__name__} of {after} of {before} units ({self.surgery}): {labels}>"
