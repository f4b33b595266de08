"""Files that travel with the package (sweeps, SQL, published values), and the names of what is in them."""

import os
import re
from pathlib import Path

from autoreg.errors import ConfigError, did_you_mean, shown


def packaged_folder(name: str) -> Path:
    """Return the folder of that name (`sweeps`, …): inside an installed package, beside it in a checkout."""
    package = Path(__file__).parent
    inside, beside = package / name, package.parent / name
    return inside if inside.is_dir() else beside


def sweep_names() -> list[str]:
    """Return the names of the packaged sweeps."""
    return sorted(path.stem for path in packaged_folder("sweeps").glob("*.yaml"))


def figure_name(text: str) -> str:
    """Return a figure's name as the paper writes it: `6`, `1a`, `B5`."""
    return text[:1].upper() + text[1:].lower()


def figure_names() -> list[str]:
    """Return the names of all figures as people write them, in the paper's order: `1a`, `2`, `B5`."""
    stems = (path.stem for path in packaged_folder("analysis_sql").glob("reports/figure_*.sql"))
    return sorted((figure_name(stem.removeprefix("figure_")) for stem in stems), key=_place)


def expand_figure(text: str) -> list[str]:
    """Return the names that a person means by a figure's: `6` for `6`, the panels `1a`, `1b`, `1c` for `1`.

    Raises:
        ConfigError: there is no such figure.
    """
    known, wanted = figure_names(), figure_name(text)
    panels = [name for name in known if re.fullmatch(rf"{re.escape(wanted)}[a-z]", name)]
    if wanted not in known and not panels:
        raise ConfigError(f"unknown figure {shown(text)}{did_you_mean(wanted, known)}")
    return [wanted] if wanted in known else panels


def _place(name: str) -> tuple[str, int, str]:
    letters, number, panel = re.fullmatch(r"(\D*)(\d*)(\w*)", name).groups()  # type: ignore[union-attr]
    return letters, int(number or 0), panel


#: The tables that are made from a view, and no views themselves.
VERDICTS, CAPACITY, RICHNESS, CLAIMS = "verdicts", "capacity", "richness", "claims"


def table_names() -> list[str]:
    """Return the names of all tables: `1`, `capacity`, `claims`, `comparison`, `precision` and so on."""
    stems = (path.stem for path in packaged_folder("analysis_sql").glob("reports/table_*.sql"))
    return sorted([*(stem.removeprefix("table_") for stem in stems), CAPACITY, CLAIMS, RICHNESS, VERDICTS])


def find_sweep(text: str) -> Path:
    """Return the file of a sweep given by path or, for a packaged one, by name.

    Raises:
        ConfigError: there is neither such a file nor a packaged sweep of that name.
    """
    path = Path(text)
    if os.path.isfile(path):  # noqa: PTH113, false and no error for a name that no file can have
        return path
    if path.stem in sweep_names() and text in {path.stem, f"sweeps/{path.stem}.yaml"}:
        return packaged_folder("sweeps") / f"{path.stem}.yaml"
    beside = [f"{text}.yaml"] if os.path.isfile(f"{text}.yaml") else []  # noqa: PTH113
    raise ConfigError(f"no sweep file {shown(text)}{did_you_mean(path.stem, [*sweep_names(), *beside])}")
