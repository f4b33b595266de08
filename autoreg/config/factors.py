"""Factors such as a width: as people write them, and exact where a float is not."""

import math
import re
from fractions import Fraction
from typing import Any

#: Short enough that its digits are not an afternoon's work: `Fraction("1e999999999")` would be.
_FACTOR = re.compile(r"[-+]?[0-9]{1,20}(?: */ *(?!0+$)[0-9]{1,20}|(?:\.[0-9]{0,20})?(?:[eE][-+]?[0-9]{1,2})?)")


def parse_fraction(value: Any) -> Any:
    """Return a factor such as a width as a float: `1/4`, `0.25` and `4` are accepted. Raises ValueError otherwise."""
    if not isinstance(value, str):
        return value
    if not _FACTOR.fullmatch(value.strip()):
        raise ValueError("a factor is a positive number such as 1/4, 0.5 or 2")
    return float(Fraction(value.replace(" ", "")))


def exact_fraction(factor: float) -> Fraction:
    """Return the fraction that a person wrote for a factor: 29/100 for 0.29, which no float is."""
    simple = Fraction(factor).limit_denominator(1_000_000)
    return simple if float(simple) == factor else Fraction(repr(float(factor)))


def scaled(count: int, factor: float) -> int:
    """Return a count times a factor, rounded down, exactly: as floats, 100 · 0.29 is less than 29."""
    return math.floor(count * exact_fraction(factor))


def format_width(width: float) -> str:
    """Return a width factor as people write it, as a fraction or with all its digits: `1/4`, `1`, `1.01`."""
    fraction, decimal = Fraction(width).limit_denominator(1000), str(width)
    return min(str(fraction), decimal, key=len) if float(fraction) == width else decimal
