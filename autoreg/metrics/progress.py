"""How far measuring is, for somebody who waits at a terminal or in a notebook."""

import sys
import time

from torch import Tensor

#: What takes less says nothing.
SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Says on stderr how many examples a metric has seen.

    Args:
        examples: how many each metric passes through the network, once or several times.
    """

    def __init__(self, examples: int) -> None:
        self._examples, self._seen, self._metric = examples, 0, ""
        self._is_watched = sys.stderr.isatty() or type(sys.stderr).__module__.startswith("ipykernel")
        self._told_at = time.monotonic()

    def begin(self, metric: str) -> None:
        """Have a metric begin."""
        self._metric, self._seen = metric, 0

    def prepare(self, inputs: Tensor) -> Tensor:
        """Return the next batch as it is, and say what came before it."""
        if self._is_watched and time.monotonic() - self._told_at >= SECONDS_BETWEEN_LINES:
            self._told_at = time.monotonic()
            print(f"measuring {self._metric}: {self._seen:,} of {self._examples:,} examples", file=sys.stderr)
        self._seen = (self._seen + len(inputs)) % self._examples
        return inputs
