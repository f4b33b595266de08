"""Files that travel with the package: the sweeps, the SQL and the published values."""

import os
from pathlib import Path

from autoreg.errors import ConfigError, shown
from autoreg.registry import did_you_mean


def packaged_folder(name: str) -> Path:
    """Return the folder of that name (`sweeps`, …): inside an installed package, beside it in a checkout."""
    package = Path(__file__).parent
    inside, beside = package / name, package.parent / name
    return inside if inside.is_dir() else beside


def sweep_names() -> list[str]:
    """Return the names of the packaged sweeps."""
    return sorted(path.stem for path in packaged_folder("sweeps").glob("*.yaml"))


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
    raise ConfigError(f"no sweep file {shown(text)}{did_you_mean(path.stem, sweep_names())}")
