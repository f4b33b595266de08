"""What a person sees while a sweep runs: a live display on a terminal, plain lines elsewhere."""

import os
import sys
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from autoreg.config import TrialConfig, format_width
from autoreg.records import TrialResult


def describe(config: TrialConfig) -> str:
    """Return a trial in a few words: `alexnet 1/4x he_normal lr 0.01 bs 128 r0`."""
    words = [str(config.network), f"{format_width(config.width)}x", str(config.initializer)]
    words += [
        word for word, on in (("augmentation", config.augmentation), ("random labels", config.random_labels)) if on
    ]
    words += [f"lr {config.effective_learning_rate:.4g}", f"bs {config.effective_batch_size}"]
    return " ".join([*words, "tuning" if config.kind == "tune" else f"r{config.replicate}"])


@dataclass
class Counts:
    """How a sweep stands. `total` counts trials, `measured` the final ones that are measured."""

    total: int
    cached: int
    done: int = 0
    failed: int = 0
    measured: int = 0
    to_measure: int = 0
    running: dict[str, str] = field(default_factory=dict)


class Display(Protocol):
    """Shows how a sweep goes on."""

    def __enter__(self) -> "Display":
        """Begin."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        ...

    def update(self, counts: Counts) -> None:
        """Show the counts."""
        ...

    def line(self, text: str) -> None:
        """Say something that stays on the screen."""
        ...


def make_display(counts: Counts) -> Display:
    """Return a live display if stderr is a terminal and NO_COLOR is not set, else one of plain lines."""
    live = sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return LiveDisplay(counts) if live else LineDisplay(counts)


class LineDisplay:
    """One line for each thing that happens, on stderr."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def __enter__(self) -> "LineDisplay":
        """Begin."""
        return self

    def __exit__(self, *error: object) -> None:
        """End."""

    def update(self, counts: Counts) -> None:
        """Remember the counts for the next line."""
        self._counts = counts

    def line(self, text: str) -> None:
        """Print a line with the count of ended trials before it."""
        ended = self._counts.cached + self._counts.done + self._counts.failed
        print(f"[{ended}/{self._counts.total}] {text}", file=sys.stderr, flush=True)


class LiveDisplay:
    """Bars of the trials that ended and of those measured, with the time left; below them what runs now."""

    def __init__(self, counts: Counts) -> None:
        self._progress = Progress(
            TextColumn("[bold]{task.description:8}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
        )
        self._trials = self._progress.add_task("trials", total=counts.total - counts.cached, note="")
        self._measured = self._progress.add_task("measured", total=None, note="")
        self._live = Live(console=Console(stderr=True), refresh_per_second=4, transient=False)
        self._shown_at = 0.0
        self.update(counts)

    def __enter__(self) -> "LiveDisplay":
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Draw a last time and stop."""
        self._live.stop()

    def update(self, counts: Counts) -> None:
        """Draw the counts, at most a few times a second."""
        ended = counts.done + counts.failed
        if time.monotonic() - self._shown_at < 0.2 and ended + counts.cached < counts.total:
            return
        self._shown_at = time.monotonic()
        note = f"{len(counts.running)} running · {counts.failed} failed · {counts.cached} cached"
        self._progress.update(self._trials, completed=ended, note=note)
        self._progress.update(self._measured, completed=counts.measured, total=counts.to_measure)
        running = [Text(f"  ▸ {text}", style="dim", no_wrap=True) for text in counts.running.values()]
        self._live.update(Group(self._progress, *running))

    def line(self, text: str) -> None:
        """Print a line above the bars."""
        self._live.console.print(text, highlight=False, markup=False)


def outcome(config: TrialConfig, result: TrialResult) -> str:
    """Return a finished trial in one line."""
    if result.status == "failed":
        reason = (result.error or "").splitlines()[0]
        return f"failed   {describe(config)}: {reason}"
    accuracy = "" if result.validation_accuracy is None else f", validation accuracy {result.validation_accuracy:.1%}"
    return f"{result.status:8} {describe(config)}: {result.epochs_run} epochs in {result.seconds:.1f} s{accuracy}"
