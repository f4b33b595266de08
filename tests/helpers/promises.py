"""What the tests of faults measure of each promise."""

from collections.abc import Callable

Promise = Callable[[str, str, str], None]


def table(rows: list[tuple[str, str, str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [("promise", "target", "measured"), ("---",) * 3, *rows])
