"""With what, and where, a trial is trained."""

import platform
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch

from autoreg import __version__

#: What decides, beside autoreg, PyTorch and Python, what a trial computes or which trials there are.
PACKAGES = ("ray", "optuna", "numpy", "torchvision")


def environment_of(data: str) -> dict[str, str]:
    """Return what a result records: versions, the checked-out commit, the machine, threads and the data's hash."""
    return _of_process() | {"threads": str(torch.get_num_threads()), "data": data}


@cache
def _of_process() -> dict[str, str]:
    commit = checked_out(Path.cwd())
    return {
        "autoreg": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        **({"commit": commit} if commit else {}),
        "machine": platform.machine(),
        "host": platform.node(),
        "cpu": _cpu(),
    }


def _cpu() -> str:
    """Return the processor's name, as far as the system tells."""
    told = Path("/proc/cpuinfo")
    named = re.search(r"^model name\s*:\s*(.+)$", told.read_text() if told.is_file() else "", re.MULTILINE)
    return named[1] if named else platform.processor() or platform.machine()


def checked_out(folder: Path) -> str | None:
    """Return the commit that is checked out where a folder lies, or None if it lies in no Git repository.

    Git's own files are read, since a program that runs in a stranger's repository may run what stands in it.
    """
    top = next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)
    if top is None:
        return None
    git = top / ".git"
    try:
        if git.is_file():  # of a further working tree, or of a submodule
            git = top / git.read_text().removeprefix("gitdir:").strip()
        name = (git / "HEAD").read_text().strip()
        if name.startswith("ref: "):
            name = name.removeprefix("ref: ")
            shared = git / (git / "commondir").read_text().strip() if (git / "commondir").is_file() else git
            if (shared / name).is_file():
                name = (shared / name).read_text().strip()
            elif packed := re.search(rf"^(\w+) {re.escape(name)}$", (shared / "packed-refs").read_text(), re.MULTILINE):
                name = packed[1]
    except (OSError, UnicodeDecodeError):  # none has been made yet, or it is somebody else's
        return None
    return name if re.fullmatch("[0-9a-f]{40,64}", name) else None
