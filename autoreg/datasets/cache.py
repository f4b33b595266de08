"""The cache: where decoded or rearranged data lies between runs."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder AUTOREG_CACHE, else `autoreg` in XDG_CACHE_HOME, else `~/.cache/autoreg`."""
    if os.environ.get("AUTOREG_CACHE"):
        return Path(os.environ["AUTOREG_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "autoreg"
