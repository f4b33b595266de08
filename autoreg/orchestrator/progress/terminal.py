"""What a person sees while a sweep runs: a live table on a terminal, plain lines elsewhere."""

import json
import os
import sys
import time
from functools import partial
from typing import Self

from rich.console import Console
from rich.live import Live
from typing_extensions import override

from autoreg.errors import printable
from autoreg.orchestrator.progress.counts import Counts, Verbosity
from autoreg.orchestrator.progress.table import dashboard

#: Each print draws the table anew, and hundreds of tiny trials end in a second: lines are gathered for a moment.
SECONDS_BETWEEN_PRINTS = 0.25


class Display:
    """Says what happens in a sweep, one line for each thing, on stderr; on a terminal with a table below them.

    Args:
        counts: how the sweep stands, also later on.
        verbosity: how much is said; with QUIET there is no table either.
        console: a terminal; None takes stderr, and prints lines only if that is none, or NO_COLOR is set.
    """

    def __init__(self, counts: Counts, verbosity: Verbosity = Verbosity.NORMAL, console: Console | None = None) -> None:
        self._counts, self._verbosity, self._lines = counts, verbosity, list[str]()
        self._printed_at = 0.0
        self._live: Live | None = None
        if console is None and is_interactive(sys.stderr.isatty()):
            console = Console(stderr=True)
        if console is not None and verbosity > Verbosity.QUIET:
            # A thread draws it also while the sweep waits for something; when it stops, the table is removed.
            draw = partial(dashboard, counts)
            self._live = Live(get_renderable=draw, console=console, refresh_per_second=2, transient=True)

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._print()
        if self._live:
            self._live.stop()

    def line(self, text: str, at: Verbosity = Verbosity.NORMAL) -> None:
        """Say something that stays on the screen, if as much as that is wanted, after the count of ended trials."""
        if self._verbosity >= at:
            self._lines.append(f"[{self._counts.ended}/{self._counts.total}] {printable(text)}")
            self.update()

    def update(self) -> None:
        """Print the lines that were gathered, if it is time to."""
        if self._live is None or time.monotonic() - self._printed_at >= SECONDS_BETWEEN_PRINTS:
            self._print()

    def _print(self) -> None:
        self._printed_at = time.monotonic()
        text, self._lines = "\n".join(self._lines), []
        if text and self._live:
            self._live.console.print(text, highlight=False, markup=False, soft_wrap=True)
        elif text:
            print(text, file=sys.stderr, flush=True)


class JsonLines(Display):
    """Says it as JSON on stdout, an object on each line, for a program."""

    def __init__(self, counts: Counts, verbosity: Verbosity = Verbosity.NORMAL) -> None:
        super().__init__(counts, Verbosity.QUIET)
        self._wanted = verbosity

    @override
    def line(self, text: str, at: Verbosity = Verbosity.NORMAL) -> None:
        if self._wanted >= at:
            told = {"event": "said", "ended": self._counts.ended, "trials": self._counts.total, "text": text}
            print(json.dumps(told), flush=True)


def is_interactive(terminal: bool) -> bool:
    """Whether a terminal is one that can be drawn on, and the user has not asked for plain text."""
    return terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
