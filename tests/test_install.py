"""What docs/install.md says of an installation."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
#: Imports every module of autoreg where nothing of CUDA can be imported.
IMPORT_ALL = """
import importlib.abc, pkgutil, sys

class NoCuda(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("nvidia", "triton", "pynvml", "cuda", "cupy"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoCuda())
import autoreg
for module in pkgutil.walk_packages(autoreg.__path__, "autoreg."):
    if not module.name.startswith(("autoreg.__main__", "autoreg.report.export.programs.")):
        __import__(module.name)
import torch
print(torch.cuda.is_initialized())
"""


def test_every_module_is_imported_without_cuda() -> None:
    ended = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, cwd=ROOT)
    assert (ended.returncode, ended.stdout) == (0, "False\n"), ended.stderr


def test_what_checks_the_code_is_no_dependency_and_python_is_bounded() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split(r"[\[<>=]", name)[0] for name in project["dependencies"]}
    assert needed.isdisjoint({"mypy", "playwright", "pytest", "ruff", "mkdocs"})
    assert project["requires-python"] == ">=3.11,<3.13"
