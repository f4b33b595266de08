"""What a user's own code says: the text of a module, and of the local modules that it imports."""

import ast
import hashlib
import io
import os
import sysconfig
import tokenize
import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec, resolve_name
from pathlib import Path

_HERE = Path(__file__).parent
_STANDARD_LIBRARY = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))
_INSTALLED = {"site-packages", "dist-packages"}


def source_id(module: str) -> str:
    """Return the hash of a module and of all local modules that it imports, 16 hexadecimal digits.

    Comments, docstrings and blank lines do not count. It is the same on every version of Python. Modules that are not
    written out in an import, by a name that is computed for example, and files run by their path, are not seen.
    """
    hasher = hashlib.blake2b(digest_size=8)
    for name, content in sorted(_contents(module).items()):
        hasher.update(f"{name} {len(content)}\n".encode() + content)
    return hasher.hexdigest()


def local_modules(module: str) -> set[str]:
    """Return the names of the modules that `source_id` looks at; none if the module is that of an installed package."""
    spec = _spec(module)
    is_installed = spec and spec.origin and not _INSTALLED.isdisjoint(Path(spec.origin).parts)
    return set() if is_installed else set(_contents(module))


def _contents(module: str) -> dict[str, bytes]:
    """Return what counts of each module that is found from one on, by its name."""
    contents: dict[str, bytes] = {}
    seen, left = set(), [module]
    while left:
        name = left.pop()
        for end in [*(index for index, letter in enumerate(name) if letter == "."), len(name)]:  # a, a.b, a.b.c
            part = name[:end]
            if part in seen:
                continue
            seen.add(part)
            spec = _spec(part)
            if spec is None or not (spec.has_location and spec.origin):
                continue
            path = Path(os.path.abspath(spec.origin))  # noqa: PTH100, follows no link out of site-packages
            if not _is_local(part, path, module):
                continue
            package = part if spec.submodule_search_locations else part.rpartition(".")[0]
            try:
                with tokenize.open(path) as file:
                    contents[part], imported = _told(file.read(), package)
            except (SyntaxError, ValueError):  # compiled, or nothing that Python would import
                contents[part], imported = path.read_bytes(), ()
            left += imported
    return contents


@lru_cache(maxsize=1024)  # a sweep of many choices asks as often
def _told(text: str, package: str) -> tuple[bytes, tuple[str, ...]]:
    """Return what counts of a module's text, and the modules that it may import."""
    return stripped(text).encode(), tuple(_imported(text, package))


def _spec(name: str) -> ModuleSpec | None:
    """Return where a module is, without importing it or its package."""
    parent = name.rpartition(".")[0]
    try:
        if not parent:
            return find_spec(name)
        above = _spec(parent)
        places = above.submodule_search_locations if above else None
        return PathFinder.find_spec(name, places) if places else None
    except (ImportError, ValueError):  # there is none, or one that was made by hand
        return None


def _is_local(name: str, path: Path, module: str) -> bool:
    """Whether a file is the user's: of no installed package, but for that of the module that was named."""
    if path.is_relative_to(_HERE):
        return False
    if name.partition(".")[0] == module.partition(".")[0]:
        return True
    return _INSTALLED.isdisjoint(path.parts) and not any(map(path.is_relative_to, _STANDARD_LIBRARY))


def _imported(text: str, package: str) -> Iterator[str]:
    """Yield the names of all modules that a text may import, wherever in it; of some there is no such module."""
    tree = _parsed(text)
    importers = _importers(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                for base in _resolved(module or "", level, package):
                    yield from (f"{base}.{alias.name}" for alias in names)
            case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called)) if called in importers:
                order = ["name", "globals", "locals", "fromlist", "level"]
                order = order if called == "__import__" else ["name", "package"]
                given: dict[str | None, ast.expr] = dict(zip(order, node.args, strict=False))
                given |= {keyword.arg: keyword.value for keyword in node.keywords}
                name, count, other = (
                    part.value if isinstance(part := given.get(key), ast.Constant) else None
                    for key in ("name", "level", "package")
                )
                if not isinstance(name, str):
                    continue
                base = other if isinstance(other, str) else package
                for whole in _resolved(name, count if isinstance(count, int) else 0, base):
                    yield whole
                    members = ast.walk(given["fromlist"]) if "fromlist" in given else ()
                    yield from (f"{whole}.{member.value!s}" for member in members if isinstance(member, ast.Constant))


def _importers(tree: ast.Module) -> set[str]:
    """Return what a text calls the functions that import a module by its name."""
    names = {"__import__", "import_module"}
    for node in ast.walk(tree):
        match node:
            case ast.alias(name="import_module", asname=str(other)):
                names.add(other)
            case ast.Assign(
                targets=[ast.Name(id=other)],
                value=ast.Name(id="import_module") | ast.Attribute(attr="import_module"),
            ):
                names.add(other)
    return names


def _resolved(name: str, level: int, package: str) -> Iterator[str]:
    """Yield the whole name of a module, with dots before it or a level; nothing where it is beyond the top."""
    with suppress(ImportError):
        yield resolve_name("." * level + name, package)


def stripped(text: str) -> str:
    """Return a module's text without comments, docstrings, blank lines, and spaces at the ends of lines.

    It is cut out of the text itself: trees and tokens differ between versions of Python. Where comments and strings lie
    they tell alike.
    """
    lines = text.split("\n")
    tree = _parsed(text)
    # Those that end within a string, in which spaces count.
    inside = {line for node in _strings(tree) for line in range(node.lineno - 1, (node.end_lineno or 0) - 1)}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:  # which ends its line
            line = token.start[0] - 1
            lines[line] = lines[line].removesuffix(token.string).rstrip()
    for node in _docstrings(tree):
        first, last = node.lineno - 1, (node.end_lineno or 0) - 1
        after = lines[last].encode()[node.end_col_offset :].decode()  # columns are those of UTF-8
        before = lines[first].encode()[: node.col_offset].decode()
        lines[first : last + 1] = [before + after, *[""] * (last - first)]
        inside.difference_update(range(first, last + 1))
    kept = (line if number in inside else line.rstrip() for number, line in enumerate(lines))
    return "\n".join(line for number, line in enumerate(kept) if line or number in inside)


def _parsed(text: str) -> ast.Module:
    with warnings.catch_warnings():  # of the text, of which its import has told
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            match node.body[0]:
                case ast.Expr(value=ast.Constant(value=str()) as docstring):
                    yield docstring


def _strings(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield every string; of those with parts, the whole: where the parts lie, versions of Python tell differently."""
    left: list[ast.AST] = [tree]
    while left:
        match node := left.pop():
            case ast.JoinedStr() | ast.Constant(value=str() | bytes()):
                yield node
            case _:
                left += ast.iter_child_nodes(node)
