"""Names for things: a registry answers an unknown name with the known ones."""

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from autoreg.errors import ConfigError

F = TypeVar("F", bound=Callable[..., Any])


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` when a known name is close, and all the known names."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{hint} (allowed: {', '.join(names)})"


class Registry(Generic[F]):
    """Functions by name.

    A dotted path `package.module:function` stands for a function outside autoreg, so that a user's own network or
    dataset needs no change here. A function's keyword-only arguments with a default are its *options*: what a sweep
    file may write beside the name.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._functions: dict[str, F] = {}

    def register(self, function: F) -> F:
        """Decorate a function: its name becomes the registered name. Raises ValueError if the name is taken."""
        name = function.__name__
        if name in self._functions:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._functions[name] = function
        return function

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._functions))

    def __getitem__(self, name: str) -> F:
        """Return the function of that name. Raises ConfigError, naming the known ones."""
        if ":" in name:
            return self._from_path(name)
        if name not in self._functions:
            raise ConfigError(f"unknown {self.kind} {name!r}{did_you_mean(name, self)}")
        return self._functions[name]

    def _from_path(self, path: str) -> F:
        module, _, attribute = path.partition(":")
        try:
            function: F = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            raise ConfigError(f"{self.kind} {path!r} cannot be imported: {error}") from error
        return function

    def options(self, name: str) -> dict[str, Any]:
        """Return the options of a registered function with their defaults."""
        parameters = inspect.signature(self[name]).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is not p.empty}

    def check_options(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the given options without those that repeat the default, so that one thing has one identity.

        Raises ConfigError for an unknown option, or for a value whose type differs from the default's.
        """
        defaults = self.options(name)
        for option, value in given.items():
            if option not in defaults:
                raise ConfigError(f"{self.kind} {name!r} has no option {option!r}{did_you_mean(option, defaults)}")
            default = defaults[option]
            if default is not None and value is not None and not _same_kind(value, default):
                wanted = type(default).__name__
                raise ConfigError(f"option {option!r} of {self.kind} {name!r} must be of type {wanted}, got {value!r}")
        return {option: value for option, value in given.items() if value != defaults[option]}


def _same_kind(value: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    if isinstance(default, tuple | list):
        return isinstance(value, tuple | list)
    return isinstance(value, type(default))


def load_folder(package: str, paths: Iterable[str]) -> None:
    """Import every module of a package, so that each file in the folder registers what it defines."""
    for module in pkgutil.iter_modules(paths):
        importlib.import_module(f"{package}.{module.name}")
