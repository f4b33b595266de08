"""YAML as a person means it: plain data with the line of every key, and nothing guessed.

Scalars follow YAML 1.2's core schema, so that `1e-4` is a number, `True` is true, and `no` is text (which a field that
wants a boolean then refuses). Numbers are decimal: `010` and `0x10` are text. Duplicate keys, anchors,
aliases and tags are refused.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from autoreg.errors import ConfigError, first_line

Path = tuple[str | int, ...]

_WORDS = {"": None, "~": None} | {
    spelled: value
    for word, value in (("null", None), ("true", True), ("false", False))
    for spelled in (word, word.capitalize(), word.upper())
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")

#: The tags that the composer gives nodes without one; what has another was tagged by hand.
_PLAIN = {
    f"tag:yaml.org,2002:{kind}"
    for kind in ("null", "bool", "int", "float", "str", "seq", "map", "timestamp", "merge", "value")
}
#: No setting has more; Python refuses to read much longer numbers.
MOST_DIGITS = 100
#: No setting lies deeper; the parser's time grows with the square of the depth.
DEEPEST = 50


@dataclass
class Document:
    """Plain data read from YAML, and where each key stood.

    Attributes:
        data: dicts, lists, strings, numbers, booleans and None.
        source: the file's name, as shown in messages.
        lines: the line (counted from 1) of each key and list item, by its path.
        origins: where a key came from if not from the file, by its path.
    """

    data: Any
    source: str
    lines: dict[Path, int] = field(default_factory=dict)
    origins: dict[Path, str] = field(default_factory=dict)

    def where(self, path: Path) -> str:
        """Return `file:line` of a path, or of its nearest parent that was written down."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        inside = [origin for key, origin in self.origins.items() if key[: len(path)] == path]
        if path and inside:
            return inside[-1]
        while path and path not in self.lines:
            path = path[:-1]
        line = self.lines.get(path)
        return f"{self.source}:{line}" if line else self.source


def parse_scalar(text: str) -> Any:
    """Return the value of an unquoted scalar: None, bool, int, float or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= MOST_DIGITS else text
    return float(text) if _FLOAT.fullmatch(text) else text


def parse(text: str, source: str) -> Document:
    """Return the document in `text`. Raises ConfigError with file and line for anything but plain YAML data."""
    document = Document(None, source)
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):  # before what grows while it is read
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise ConfigError(f"{source}: lists and mappings are nested too deeply, more than {DEEPEST} levels")
            anchor = getattr(event, "anchor", None)
            if anchor and event.start_mark:
                line = event.start_mark.line + 1
                raise ConfigError(f"{source}:{line}: anchors and aliases are not allowed, got {anchor!r}")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or first_line(error)
        where = f"{source}:{mark.line + 1}" if mark else source
        raise ConfigError(f"{where}: not valid YAML: {problem}") from error
    document.data = _build(node, (), document) if node is not None else None
    return document


def _unicode(node: yaml.ScalarNode, document: Document) -> str:
    """Return a text, with what JSON escapes as two surrogates as the one character that they stand for."""
    try:
        return str(node.value).encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        where = f"{document.source}:{node.start_mark.line + 1}"
        raise ConfigError(f"{where}: a text must be Unicode, got {node.value!r}") from error


def _build(node: yaml.Node, path: Path, document: Document) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if node.tag not in _PLAIN:
        raise ConfigError(f"{document.source}:{node.start_mark.line + 1}: tags are not allowed, got {node.tag!r}")
    if isinstance(node, yaml.ScalarNode):
        return _unicode(node, document) if node.style else parse_scalar(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_build(child, (*path, index), document) for index, child in enumerate(node.value)]
    assert isinstance(node, yaml.MappingNode)
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not (isinstance(key_node, yaml.ScalarNode) and key_node.value.isprintable()):
            raise ConfigError(f"{document.source}:{line}: a key must be plain text")
        key = key_node.value
        if key in mapping:
            dotted = ".".join(map(str, (*path, key)))
            raise ConfigError(f"{document.source}:{line}: {dotted}: the key stands here a second time")
        document.lines[(*path, key)] = line
        mapping[key] = _build(value_node, (*path, key), document)
    return mapping
