"""The command line, in this process: started anew it would import for seconds what is here already."""

import io
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
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
    with chdir(cwd), patch.object(sys, "argv", ["autoreg", *arguments]), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Ended(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))


def autoreg_process(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder and a process of its own, for what only that shows."""
    command = [sys.executable, "-m", "autoreg", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=os.environ | {"NO_COLOR": "1"})
