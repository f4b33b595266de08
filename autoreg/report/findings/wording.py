"""How sentences write numbers and names."""

from collections.abc import Iterable, Sequence

#: More names than this are counted, not listed.
MOST_NAMES = 5


def counted(number: int, thing: str) -> str:
    """Return `1 replicate`, `3 replicates`."""
    return f"{number:,} {thing}{'' if number == 1 or thing == 'series' else 's'}"


def listed(names: Sequence[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`; of many the first ones and how many more."""
    shown = [*names] if len(names) <= MOST_NAMES else [*names[: MOST_NAMES - 1], f"{len(names) - MOST_NAMES + 1} more"]
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def number(value: float, form: str) -> str:
    """Return a number with a minus sign, and without that of a zero."""
    text = format(value, f"z{form}" if form[:1] != "+" else f"+z{form[1:]}")
    return text.replace("-", "−")


def ranged(values: Iterable[float], form: str, unit: str = "") -> str:
    """Return `1.73 to 2.00`, or the one number if both ends are written alike; `1.73- to 2.00-fold` of a unit."""
    known = sorted(values)
    low, high = number(known[0], form), number(known[-1], form)
    if low == high:
        return f"{low}{unit}"
    return f"{low}{'-' if unit.startswith('-') else ''} to {high}{unit}"
