"""The command line, in this process: started anew it would import for seconds what is here already."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from autoreg.cli.main import main


@dataclass(frozen=True)
class Ended:
    """How a command ended, as a shell sees it."""

    returncode: int
    stdout: str
    stderr: str


def autoreg(*arguments: str, cwd: Path) -> Ended:
    """Run a command in a folder."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    code = 0
    argv = patch.object(sys, "argv", ["autoreg", *arguments])
    with chdir(cwd), forgotten(cwd), argv, redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Ended(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))


@contextmanager
def forgotten(folder: Path) -> Iterator[None]:
    """Forget the modules that are imported from a folder, as the end of a process would."""
    with patch.object(sys, "path", [*sys.path]):
        yield
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "/").is_relative_to(folder):
            del sys.modules[name]


def autoreg_process(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder and a process of its own, for what only that shows."""
    command = [sys.executable, "-m", "autoreg", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=os.environ | {"NO_COLOR": "1"})
