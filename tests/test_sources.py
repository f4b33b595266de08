"""The text of a user's own code: what counts, what does not, and the same on every version of Python."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autoreg import sources
from autoreg.sources import source_id, stripped

TEXT = '''\
# A comment, and a docstring.
"""Doc
string."""
import os  # why


def f(a, b="x # no comment"):
    """Docstring é."""  # ü
    text = """first  \x20

  # inside
last"""  # after
    shown = f"{a!r} # {b:>{10}} {'#'}"
    return (a,  # one

            text, shown)


class K:
    "doc"; x = 1  # é

    def m(self): "d"
'''
LEFT = '''\
import os
def f(a, b="x # no comment"):
    text = """first  \x20

  # inside
last"""
    shown = f"{a!r} # {b:>{10}} {'#'}"
    return (a,
            text, shown)
class K:
    ; x = 1
    def m(self):'''
FILES = {
    "net.py": "import torch\nfrom blocks import activation\n\n\ndef build():\n    return activation()\n",
    "blocks.py": "import deep.er as d\n\ndef activation():\n    from deep import late\n    return 'relu'\n",
    "deep/__init__.py": "",
    "deep/er.py": "from . import sibling\nfrom .sibling import thing\nx = 1\n",
    "deep/sibling.py": "thing = 1\n",
    "deep/late.py": "import importlib\nnamed = importlib.import_module('named')\n",
    "named.py": "y = 1\n",
    "unused.py": "z = 1\n",
}
GOLDEN = "6490ecdf95dcd7ae"

Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """A folder of modules, and a way to write one of them."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name: str, text: str) -> None:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    for name, text in FILES.items():
        write(name, text)
    yield write
    assert sys.modules.keys().isdisjoint({"net", "blocks", "deep", "named"}), "no module is imported to be read"


def test_comments_docstrings_blank_lines_and_ends_of_lines_are_left_out() -> None:
    assert stripped(TEXT) == LEFT


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"unused.py", "deep/__init__.py"}))
def test_every_local_module_that_is_imported_counts(write: Write, name: str) -> None:
    before = source_id("net")
    write(name, FILES[name] + "more = 1\n")
    assert source_id("net") != before
    write(name, '"""What it is."""\n\n# It is that.\n' + FILES[name].replace("\n", "  # so\n\n"))
    assert source_id("net") == before


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("blocks", "import importlib\nimportlib.import_module('.er', 'deep')"),
        ("blocks", "from importlib import import_module\nimport_module('.er', package='deep')"),
        ("blocks", "import importlib\nimportlib.import_module(name='deep.er')"),
        ("blocks", "from importlib import import_module as load\nload('deep.er')"),
        ("blocks", "import importlib\nload = importlib.import_module\nload('deep.er')"),
        ("blocks", "import importlib\nimportlib.__import__('deep.er')"),
        ("blocks", "__import__('deep', fromlist=['er'])"),
        ("blocks", "__import__('deep', globals(), locals(), ['er'], 0)"),
        ("deep.late", "import importlib\nimportlib.import_module('.er', __package__)"),
        ("deep.late", "__import__('er', globals(), locals(), [], 1)"),
        ("deep.late", "__import__('', globals(), level=1, fromlist=('er',))"),
    ],
)
def test_a_module_that_is_imported_by_a_name_written_out_counts(write: Write, module: str, text: str) -> None:
    write(f"{module.replace('.', '/')}.py", text)
    assert "deep.er" in sources._contents(module)


def test_a_name_beyond_the_top_is_left_to_python(write: Write) -> None:
    write("deep/late.py", "import importlib\nimportlib.import_module('...er', __package__)")
    assert sorted(sources._contents("deep.late")) == ["deep", "deep.late"]


def test_what_is_not_imported_or_installed_does_not_count(write: Write) -> None:
    before = source_id("net")
    write("unused.py", "z = 2\n")
    assert source_id("net") == before
    assert "torch" not in sources._contents("net")


def test_modules_that_import_each_other_are_read_once(write: Write) -> None:
    write("blocks.py", "import net\n")
    assert sorted(sources._contents("net")) == ["blocks", "net"]


def test_a_module_that_is_not_there_is_left_to_python(write: Write) -> None:
    write("blocks.py", "try:\n    import nowhere.at_all\nexcept ImportError:\n    pass\nfrom ... import beyond\n")
    assert sorted(sources._contents("net")) == ["blocks", "net"]


@pytest.mark.parametrize("content", [b"print 'an older Python'\n", b"x = '\xff'\n", b"x = 1\0\n"])
def test_what_is_no_python_of_today_counts_as_it_is(write: Write, tmp_path: Path, content: bytes) -> None:
    ids = []
    for more in (b"", b"# more\n"):
        (tmp_path / "blocks.py").write_bytes(content + more)
        ids.append(source_id("net"))
    assert len({*ids}) == 2


def test_the_id_is_golden(write: Write) -> None:
    write("named.py", TEXT)
    assert source_id("net") == GOLDEN


@pytest.mark.parametrize("python", ["python3.11", "python3.12", "python3.13"])
def test_the_id_is_the_same_on_every_python(write: Write, tmp_path: Path, python: str) -> None:
    command = shutil.which(python)
    if command is None or subprocess.run([command, "-c", ""], check=False).returncode:
        pytest.skip(f"there is no {python}")
    write("named.py", TEXT)
    (tmp_path / "copy").mkdir()
    shutil.copy(sources.__file__, tmp_path / "copy" / "the_sources.py")
    program = "import sys; sys.path.append('..'); from the_sources import source_id; print(source_id('net'))"
    ended = subprocess.run([command, "-c", program], cwd=tmp_path / "copy", capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == GOLDEN
