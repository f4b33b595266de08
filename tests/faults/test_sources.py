"""No source of autoreg turns data into code, apart from the places that are named here, each with its reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "autoreg"
SOURCES = sorted(FOLDER.rglob("*.py"))
#: Whatever is used of these modules, or these functions, can make code of data or start another program.
DANGEROUS = (
    "eval", "exec", "compile", "__import__", "pickle", "marshal", "shelve", "dill", "cloudpickle", "ray.cloudpickle",
    "joblib", "runpy", "code", "codeop", "importlib", "subprocess", "ctypes", "multiprocessing", "pty", "yaml",
    "torch.load", "torch.jit", "torch.hub", "numpy.load", "os.system", "os.popen",
    "polars.LazyFrame.deserialize", "polars.DataFrame.deserialize", "shutil.unpack_archive", "tempfile.mktemp",
)  # fmt: skip
ENDS_A_THREAD = "ends a thread of ours that a library holds"
PRCTL = "asks the system to end the worker with its driver"
DATA_ONLY = "reads data and nothing else"
OWN_CODE = "a user's own function or drawing, which the user names"
FINDS_ONLY = "finds where a module is, without importing it"
ALLOWED = {
    ("datasets/images/cifar10_files.py", "pickle.Unpickler"): "the base of one that finds arrays only",
    ("datasets/images/cifar10_files.py", "pickle.UnpicklingError"): "an exception",
    ("training/checkpoints.py", "torch.load"): DATA_ONLY,
    ("report/figures/source.py", "importlib.import_module"): "a drawing of autoreg's own",
    ("report/figures/source.py", "importlib.util.spec_from_file_location"): OWN_CODE,
    ("report/figures/source.py", "importlib.util.module_from_spec"): OWN_CODE,
    ("registry.py", "importlib.import_module"): OWN_CODE,
    ("registry.py", "importlib.invalidate_caches"): "has an edited file found",
    ("sources.py", "importlib.machinery.ModuleSpec"): FINDS_ONLY,
    ("sources.py", "importlib.machinery.PathFinder.find_spec"): FINDS_ONLY,
    ("sources.py", "importlib.util.find_spec"): FINDS_ONLY,
    ("sources.py", "importlib.util.resolve_name"): FINDS_ONLY,
    ("datasets/images/cache.py", "numpy.load"): DATA_ONLY,
    ("__init__.py", "importlib.import_module"): "a module of autoreg's own, from a list",
    ("orchestrator/ray_runtime/reaper.py", "subprocess.Popen"): "autoreg itself, without a shell",
    ("orchestrator/ray_runtime/process.py", "ctypes.CDLL"): PRCTL,
    ("orchestrator/ray_runtime/process.py", "ctypes.CDLL(None).prctl"): PRCTL,
    ("orchestrator/ray_runtime/turn.py", "ctypes.pythonapi.PyThreadState_SetAsyncExc"): ENDS_A_THREAD,
    ("orchestrator/ray_runtime/turn.py", "ctypes.c_ulong"): ENDS_A_THREAD,
    ("orchestrator/ray_runtime/turn.py", "ctypes.py_object"): ENDS_A_THREAD,
    ("networks/compiled.py", "subprocess.run"): "the C compiler on autoreg's own source, without a shell",
    ("networks/compiled.py", "ctypes.CDLL"): "what that compiled, private and with the content that its name states",
}
#: Options that make a call read data only, or that no call may have.
WANTED = {"torch.load": {"weights_only": "True"}, "yaml.parse": {"Loader": "yaml.SafeLoader"},
          "yaml.compose": {"Loader": "yaml.SafeLoader"}}  # fmt: skip
FORBIDDEN = {"shell", "allow_pickle", "trust_remote_code"}
HARMLESS = {"yaml.parse", "yaml.compose", "yaml.SafeLoader", "yaml.YAMLError", "yaml.Node", "yaml.ScalarNode",
            "yaml.SequenceNode", "yaml.MappingNode", "yaml.CollectionStartEvent", "yaml.CollectionEndEvent",
            "ctypes.c_void_p", "ctypes.c_long", "ctypes.c_float", "subprocess.CalledProcessError",
            "subprocess.TimeoutExpired", "importlib.metadata.version",
            "subprocess.PIPE", "subprocess.DEVNULL", "yaml.safe_dump"}  # fmt: skip


def imported(tree: ast.AST) -> dict[str, str]:
    """Return what each name of a module stands for, wherever in it the import is: `np` for `numpy`."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                names[item.asname or item.name.partition(".")[0]] = (
                    item.name if item.asname else item.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for item in node.names:
                names[item.asname or item.name] = f"{node.module}.{item.name}"
    return names


def used(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the full name of everything that a module uses of others: `numpy.load`, `torch.load`, `eval`."""
    names = imported(tree)
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in inner:
            first, *rest = ast.unparse(node).split(".")
            yield ".".join([names.get(first, first), *rest]), node


def is_dangerous(name: str) -> bool:
    stems = ("os.exec", "os.spawn", "os.posix_spawn")
    return any(name == danger or name.startswith(f"{danger}.") for danger in DANGEROUS) or name.startswith(stems)


def findings(path: str, source: str) -> list[tuple[int, str]]:
    """Return the line and the name of what turns data into code, without what is allowed in this file."""
    tree = ast.parse(source)
    names = imported(tree)
    found = [
        (node.lineno, name)
        for name, node in used(tree)
        if is_dangerous(name) and name not in HARMLESS and (path, name) not in ALLOWED
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            first, *rest = ast.unparse(node.func).split(".")
            name = ".".join([names.get(first, first), *rest])
            options = {str(option.arg): ast.unparse(option.value) for option in node.keywords}
            if options | WANTED.get(name, {}) != options or FORBIDDEN & options.keys():
                found.append((node.lineno, f"{name}({', '.join(options)})"))
    return found


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.relative_to(FOLDER)))
def test_no_source_turns_data_into_code(source: Path) -> None:
    assert findings(str(source.relative_to(FOLDER)), source.read_text(encoding="utf-8")) == []


def test_every_exception_is_still_needed() -> None:
    there = {(str(path.relative_to(FOLDER)), name) for path in SOURCES for name, _ in used(ast.parse(path.read_text()))}
    assert ALLOWED.keys() - there == set()


@pytest.mark.parametrize(
    "code",
    [
        "eval(text)", "import pickle\npickle.loads(text)", "from pickle import loads\nloads(text)",
        "import pickle as p\np.load(file)", "def f():\n from os import system as s\n s(text)",
        "import torch\ntorch.load(path)", "import torch\ntorch.load(path, weights_only=False)",
        "import numpy as np\nnp.load(path, allow_pickle=True)", "import yaml\nyaml.load(text, Loader=yaml.Loader)",
        "import yaml\nyaml.unsafe_load(text)", "import yaml\nyaml.compose(text)", "run(text, shell=True)",
        "import importlib\nimportlib.import_module(text)", "import subprocess\nrun = subprocess.run",
        "import os\nos.execv(a, b)",
    ],
)  # fmt: skip
def test_each_way_of_turning_data_into_code_would_be_found(code: str) -> None:
    assert findings("new.py", code) != []
