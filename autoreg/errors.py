"""The errors a user can cause, each with the exit code of the command line; and what fits into a message."""

import difflib
from collections.abc import Iterable
from typing import Any


class AutoregError(Exception):
    """An error that is told to the user in one line, without a traceback."""

    exit_code = 1


class ConfigError(AutoregError):
    """A sweep file, an option or an argument breaks a rule."""

    exit_code = 2


class DataError(AutoregError):
    """Data that the work needs is missing, damaged or not yet computed."""

    exit_code = 3


class DataWarning(UserWarning):
    """What a user should know of the data that is read, in one line."""


class ModelWarning(UserWarning):
    """What a user should know of how a model is cut into layers, in one line."""


class DatabaseError(AutoregError):
    """results.db is locked, damaged or from a newer version of autoreg."""

    exit_code = 4


class DamagedDatabase(DatabaseError):
    """What is in results.db cannot be read; it can be made again from the run folder."""


class Interrupted(AutoregError):
    """The user stopped the sweep; what was in flight is checkpointed."""

    exit_code = 130


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its kind if it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def with_kind(error: BaseException) -> str:
    """Return an error's kind and the first line of its message, for errors of other people's code."""
    return f"{type(error).__name__}: {first_line(error)}"


def printable(text: str) -> str:
    """Return a text in which what a terminal would obey is a question mark: what files hold may be a stranger's."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def is_utf8(text: str) -> bool:
    """Whether a path's name is UTF-8: Python stands a surrogate for each byte of another, which few others take."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def shown(value: Any) -> str:
    """Return a value as messages show it: so much of it as fits into a line."""
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:100]}… ({len(text)} characters)"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` when a known name is close, and all the known names."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{hint} (allowed: {', '.join(names) or 'none'})"


def duration(seconds: float) -> str:
    """Return a time with two digits: `0.8 ms`, `35 s`, `12 min`, `1.5 h`, `14 days`."""
    for limit, factor, unit in ((1, 1e-3, "ms"), (90, 1, "s"), (5400, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{two_digits(seconds / factor)} {unit}"
    return f"{two_digits(seconds / 86400)} days"


def two_digits(value: float) -> str:
    """Return a number with two digits, or as a whole one: `0.8`, `35`, `1,234`."""
    return f"{value:.1f}" if value < 9.95 else f"{float(f'{value:.2g}'):,.0f}" if value < 100 else f"{value:,.0f}"
