"""Names for things: a registry answers an unknown name with the known ones."""

import hashlib
import importlib
import inspect
import pkgutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, get_type_hints

from autoreg.errors import ConfigError, did_you_mean, shown, with_kind
from autoreg.exits import told_exits
from autoreg.sources import local_modules, source_id

if TYPE_CHECKING:
    from pydantic import TypeAdapter

F = TypeVar("F", bound=Callable[..., Any])


#: Parameters that are given by name.
_NAMED = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
#: Booleans of YAML 1.1, which are texts in YAML 1.2, and words for true, false and nothing of YAML and other languages.
_WORDS = {"yes", "no", "on", "off", "y", "n", "true", "false", "none", "null", "nil", "nan", ".nan", "~", "undefined"}

#: When this process began to import.
_STARTED = time.time()
#: The hash of each module of the user's when it was last looked at here.
_SOURCES: dict[str, str] = {}


class Registry(Generic[F]):
    """Functions by name.

    A dotted path `package.module:function` stands for a function outside autoreg, so that a user's own network or
    dataset needs no change here. Whoever runs a sweep file runs the modules that it names: look at a stranger's before.
    A function's keyword-only arguments are its *options*: what a sweep file may write beside the name.

    Args:
        kind: what the functions make, for messages.
        arguments: the names of the positional arguments that each is called with.
    """

    def __init__(self, kind: str, *arguments: str) -> None:
        self.kind = kind
        self.arguments = arguments
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
            if f"{name}.py" in map(str, Path().glob("*.py")):
                raise ConfigError(f"unknown {self.kind} {name!r}; a function in {name}.py is called {name}:FUNCTION")
            raise ConfigError(f"unknown {self.kind} {name!r}{did_you_mean(name, self)}")
        return self._functions[name]

    def _from_path(self, path: str) -> F:
        module, _, attribute = path.partition(":")
        if module == "__main__":
            raise ConfigError(
                f"{self.kind} {path!r} is defined in a notebook or in the program itself, which no trial can import: "
                f"put it into a file, mine.py, and call it mine:{attribute}"
            )
        if (top := module.partition(".")[0]) in sys.stdlib_module_names:
            raise ConfigError(f"{self.kind} {path!r}: {top!r} is a module of Python itself, name one of your own")
        here = str(Path.cwd())
        if here not in sys.path:  # a console script does not look into the folder that it is called in
            sys.path.append(here)
        try:
            with told_exits():
                function: F = getattr(importlib.import_module(module), attribute)
        except (Exception, SystemExit) as error:  # the file is the user's: anything may go wrong in it
            raise ConfigError(f"{self.kind} {path!r} cannot be imported: {with_kind(error)}") from error
        self._check_arguments(path, function)
        return function

    def _check_arguments(self, path: str, function: F) -> None:
        """Raise ConfigError unless a function from outside takes the arguments that ours do.

        Else a stranger's sweep file could have any function of any installed module called, one that removes the data
        folder it is given for example.
        """
        wanted = f"must be a function ({', '.join((*self.arguments, '*', 'options…'))})"
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{self.kind} {path!r} {wanted}, got {shown(function)}") from error
        positional = [parameter for parameter in parameters if parameter.kind not in _NAMED]
        names = [each.name.lstrip("_") for each in positional if each.kind is not inspect.Parameter.VAR_POSITIONAL]
        takes_rest = len(positional) > len(names) > 0
        if tuple(names) != (self.arguments[: len(names)] if takes_rest else self.arguments):
            raise ConfigError(f"{self.kind} {path!r} {wanted}, got ({', '.join(map(str, positional))})")

    def source(self, name: str) -> str | None:
        """Return the hash of a user's own function, None for a registered one; see `source_id`."""
        return source_id(name.partition(":")[0]) if ":" in name and self[name] else None

    def source_of_file(self, name: str) -> str | None:
        """Return the hash that stood for a user's own function before modules that it imports counted: of its file."""
        if ":" not in name:
            return None
        path = inspect.getsourcefile(inspect.unwrap(self[name]))
        return hashlib.blake2b(Path(path).read_bytes(), digest_size=8).hexdigest() if path else None

    def options(self, name: str) -> dict[str, inspect.Parameter]:
        """Return the options of a registered function. Raises ConfigError if an annotation names what is not there."""
        parameters = inspect.signature(self[name]).parameters.values()
        options = {parameter.name: parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
        if not any(isinstance(option.annotation, str) for option in options.values()):
            return options
        try:  # annotations that the file's `from __future__ import annotations` has made texts
            read = inspect.signature(self[name], eval_str=True).parameters
        except Exception as error:
            raise ConfigError(
                f"{self.kind} {name!r} has an annotation that cannot be read: {with_kind(error)}"
            ) from error
        return {key: read[key] for key in options}

    def signature(self, name: str) -> str:
        """Return a function's options as a person reads them: `sigma: float, hidden_ratio: float = 0.1`."""
        types = get_type_hints(self[name])
        options = self.options(name).items()
        return ", ".join(str(option.replace(annotation=types.get(key, Any))) for key, option in options)

    def option_schemas(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the JSON Schema of each option of a registered function, with its default."""
        schemas = {}
        for option, parameter in self.options(name).items():
            default = {} if parameter.default is parameter.empty else {"default": parameter.default}
            schemas[option] = _adapter(parameter).json_schema() | default
        return schemas

    def check_options(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the given options without those that repeat the default, so that one thing has one identity.

        An option's annotation says what it may be: its type, and its range as in `Annotated[int, Field(ge=2)]`. Without
        one, the type of its default does.

        Raises ConfigError for an unknown option, a missing one that has no default, or a value that does not fit.
        """
        from pydantic import ValidationError

        if ":" in name:
            _forget_edited(name.partition(":")[0])
        options = self.options(name)
        checked = {}
        for option, value in given.items():
            if option not in options:
                known = did_you_mean(option, options) if options else "; it has none"
                raise ConfigError(f"{self.kind} {name!r} has no option {option!r}{known}")
            try:
                checked[option] = _adapter(options[option]).validate_python(value)
            except ValidationError as error:
                rule = error.errors()[0]["msg"].replace("Input should", "should").replace("Value error, ", "")
                raise ConfigError(f"option {option!r} of {self.kind} {name!r} {rule}, got {shown(value)}") from error
        for option, parameter in options.items():
            if parameter.default is parameter.empty and option not in given:
                raise ConfigError(f"{self.kind} {name!r} needs the option {option!r}")
        return {
            option: value
            for option, value in checked.items()
            if value != (default := options[option].default) or isinstance(value, bool) != isinstance(default, bool)
        }


def _forget_edited(module: str) -> None:
    """Have Python import a user's module anew, with the local ones that it imports, if they were edited since.

    Else a sweep that is planned in a notebook would be checked by other code than names its trials and runs in them.
    """
    importlib.invalidate_caches()  # for files that are new
    if not (names := local_modules(module)):
        return
    files = [file for name in names if (file := getattr(sys.modules.get(name), "__file__", None))]
    now, known = source_id(module), _SOURCES.get(module)
    _SOURCES[module] = now
    if now != known if known else any(Path(file).stat().st_mtime > _STARTED for file in files):
        tops = {name.partition(".")[0] for name in names}
        for name in [name for name in sys.modules if name.partition(".")[0] in tops]:
            del sys.modules[name]


def _adapter(parameter: inspect.Parameter) -> "TypeAdapter[Any]":
    """Return what checks an option by its annotation, for example `Annotated[int, Field(ge=2)]`."""
    from pydantic import ConfigDict, TypeAdapter  # takes a moment to import, which names alone need not pay

    kind = _kind_of(parameter.default) if parameter.annotation in (parameter.empty, Any) else parameter.annotation
    return TypeAdapter(kind, config=ConfigDict(strict=True, allow_inf_nan=False))


def _kind_of(default: Any) -> Any:
    """Return what an option without annotation may be: of its default's type, a number for a number, and null.

    A Boolean one is nothing but true or false, and one that is whole takes whole numbers. Where the default tells
    nothing, anything goes but words for true, false and nothing: any text is true to Python.
    """
    from pydantic import AfterValidator

    if isinstance(default, bool):
        return bool
    for kind, allowed in ((int, int | None), (float, float | int | None)):
        if isinstance(default, kind):
            return allowed
    if isinstance(default, str):
        return Annotated[str | None, AfterValidator(_refuse_none)]
    kept = list[Any] | None if isinstance(default, list | tuple) else Any
    return Annotated[kept, AfterValidator(_refuse_words)]


def _refuse_none(value: str | None) -> str | None:
    if value == "None":
        raise ValueError("should be null, or be annotated as str")
    return value


def _refuse_words(value: Any) -> Any:
    if isinstance(value, list):
        return [_refuse_words(part) for part in value]
    if isinstance(value, str) and value.lower() in _WORDS:
        raise ValueError("should be true, false or null, or be annotated as str")
    return value


def load_folder(package: str, paths: Iterable[str]) -> None:
    """Import every module of a package, so that each file in the folder registers what it defines."""
    for module in pkgutil.iter_modules(paths):
        importlib.import_module(f"{package}.{module.name}")
