"""What an exporter is: a function from a source to lines that say what was written."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autoreg.errors import ConfigError


@dataclass(frozen=True)
class Source:
    """What there is to export.

    Attributes:
        database: results.db, opened read-only.
        runs: the run folder.
        sweep: a sweep's name or id; None for all sweeps.
        definition: `released` or `text`, of removability and similarity.
    """

    database: Path
    runs: Path
    sweep: str | None = None
    definition: str = "released"


@dataclass(frozen=True)
class Exporter:
    """One program that takes our trials.

    Attributes:
        name: the option of `autoreg export`.
        target: what the option's value is, as its help shows it: `FILE`, `FOLDER`, `URI`.
        write: takes a source and a target, and yields a line for each thing that it wrote.
    """

    name: str
    target: str
    write: Callable[[Source, str], Iterator[str]]

    @property
    def help(self) -> str:
        """The first paragraph of its docstring."""
        return " ".join((self.write.__doc__ or "").split("\n\n")[0].split())


#: Every exporter by name.
exporters: dict[str, Exporter] = {}


def exporter(target: str) -> Callable[[Callable[[Source, str], Iterator[str]]], Callable[[Source, str], Iterator[str]]]:
    """Register a function under its name as an exporter to a target of that kind."""

    def register(write: Callable[[Source, str], Iterator[str]]) -> Callable[[Source, str], Iterator[str]]:
        name = write.__name__
        if name in exporters:
            raise ValueError(f"exporter {name!r} is registered twice")
        exporters[name] = Exporter(name, target, write)
        return write

    return register


@contextmanager
def optional(module: str, extra: str, package: str) -> Iterator[None]:
    """Have an import inside say what to install if an optional package is not there.

    Raises:
        ConfigError: it is not; a package that is there but lacks another raises what it always does.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module:
            raise
        raise ConfigError(
            f"--{extra} needs {package}, which is not installed: pip install {package}, or autoreg's extra [{extra}]"
        ) from error
