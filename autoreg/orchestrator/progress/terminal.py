"""What a person sees while a sweep runs: a live table on a terminal, plain lines elsewhere."""

import os
import sys
import time
from contextlib import AbstractContextManager
from typing import Self

from rich.console import Console
from rich.live import Live
from typing_extensions import override

from autoreg.errors import printable
from autoreg.orchestrator.progress.counts import Counts, Verbosity
from autoreg.orchestrator.progress.table import Dashboard


class Display(AbstractContextManager["Display"]):
    """Says what happens in a sweep: one line for each thing, on stderr."""

    def __init__(self, counts: Counts, verbosity: Verbosity = Verbosity.NORMAL) -> None:
        self._counts, self._verbosity = counts, verbosity

    def __exit__(self, *error: object) -> None:
        pass

    def update(self) -> None:
        """Show the counts as they are now, where they are shown without a line."""

    def line(self, text: str, at: Verbosity = Verbosity.NORMAL) -> None:
        """Say something that stays on the screen, if as much as that is wanted, after the count of ended trials."""
        if self._verbosity >= at:
            counts = f"[{self._counts.ended}/{self._counts.total}]"
            print(f"{counts} {printable(text)}", file=sys.stderr, flush=True)


class LiveDisplay(Display):
    """A table below the lines of what has happened.

    Lines are gathered for a moment, since each print draws the table anew, and hundreds of tiny trials end in a second.
    """

    SECONDS_BETWEEN_PRINTS = 0.25

    def __init__(self, counts: Counts, verbosity: Verbosity = Verbosity.NORMAL, console: Console | None = None) -> None:
        super().__init__(counts, verbosity)
        self._console = console or Console(stderr=True)
        self._live = Live(Dashboard(counts), console=self._console, refresh_per_second=4, transient=True)
        self._lines: list[str] = []
        self._printed_at = 0.0

    @override
    def __enter__(self) -> Self:
        self._live.start()  # a thread, which draws also while the sweep waits for something
        return self

    @override
    def __exit__(self, *error: object) -> None:
        self._print()
        self._live.stop()  # and remove the table: the last line tells the counts

    @override
    def update(self) -> None:
        if time.monotonic() - self._printed_at >= self.SECONDS_BETWEEN_PRINTS:
            self._print()

    @override
    def line(self, text: str, at: Verbosity = Verbosity.NORMAL) -> None:
        if self._verbosity >= at:
            self._lines.append(printable(text))
            self.update()

    def _print(self) -> None:
        self._printed_at = time.monotonic()
        if self._lines:
            text, self._lines = "\n".join(self._lines), []
            self._console.print(text, highlight=False, markup=False, soft_wrap=True)


def make_display(counts: Counts, verbosity: Verbosity = Verbosity.NORMAL) -> Display:
    """Return a live display if stderr is a terminal and NO_COLOR is not set, else one of plain lines.

    Args:
        counts: how the sweep stands, also later on.
        verbosity: how much is said; with QUIET there is no table either.
    """
    if verbosity > Verbosity.QUIET and is_interactive(sys.stderr.isatty()):
        return LiveDisplay(counts, verbosity)
    return Display(counts, verbosity)


def is_interactive(terminal: bool) -> bool:
    """Whether a terminal is one that can be drawn on, and the user has not asked for plain text."""
    return terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
