"""What an exporter is: a function from a source to lines that say what was written."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autoreg.errors import ConfigError
from autoreg.registry import Registry


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


#: (source, target) -> a line for each thing that was written
Exporter = Callable[[Source, str], Iterator[str]]
exporters: Registry[Exporter] = Registry("exporter", "source", "target")


def exporter(target: str) -> Callable[[Exporter], Exporter]:
    """Register a function under its name, which becomes an option of `autoreg export`.

    Args:
        target: what the option's value is, as its help shows it: `FILE`, `FOLDER`, `URI`.
    """

    def register(function: Exporter) -> Exporter:
        function.target = target  # type: ignore[attr-defined]
        return exporters.register(function)

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
