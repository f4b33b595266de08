"""Reading a sweep file: overrides, and mistakes explained with file, line, key, value and what is allowed."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from autoreg.config import strict_yaml
from autoreg.config.series import clash_of_series
from autoreg.config.sweep import NAME, Sweep
from autoreg.config.trial import PLACE
from autoreg.errors import ConfigError, did_you_mean, first_line, printable, shown


@dataclass(frozen=True)
class LoadedSweep:
    """A sweep as it was read.

    Attributes:
        sweep: what the file asks for.
        root: the data folder that the file names (`dataset.root`), or None.
        document: where each key stood, for messages.
    """

    sweep: Sweep
    root: Path | None
    document: strict_yaml.Document

    def __repr__(self) -> str:
        trials = f"{self.sweep.final_count} final and {self.sweep.tuning_count} tuning trials"
        figures = f"figures {', '.join(self.sweep.figures)}" if self.sweep.figures else "no figure"
        return f"<sweep {self.sweep.name}: {trials}, {figures}>"


def load_sweep(given: Path | Mapping[str, Any], overrides: Sequence[str] = ()) -> LoadedSweep:
    """Return the sweep in a YAML file. Names of networks, datasets and so on are checked later, by `make_plan`.

    Args:
        given: the YAML file, or what would stand in it.
        overrides: `key=value` texts, the key dotted, the value YAML: `training.epochs=3`, `grid.width=[1/4,1/2]`.

    Raises:
        ConfigError: one line with file, line, key, the value got and what is allowed.
    """
    document = _taken(given) if isinstance(given, Mapping) else _written(given)
    if not isinstance(document.data, dict):
        kind = type(document.data).__name__
        raise ConfigError(f"{document.source}: a sweep is a mapping of keys to values, got {kind}")
    for override in overrides:
        _apply(document, override)
    root = _take_root(document)
    try:
        sweep = Sweep.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(item, document) for item in error.errors())) from error
    if sweep.variants and (clash := clash_of_series(sweep)):
        index, message = clash
        raise ConfigError(f"{document.where(('variants', index))}: variants.{index}: {message}")
    folder = Path(os.path.expanduser(root)) if root else None  # noqa: PTH111, leaves ~nobody as it is
    return LoadedSweep(sweep, folder, document)


def load_sweeps(paths: Sequence[Path], overrides: Sequence[str] = ()) -> list[LoadedSweep]:
    """Return the sweeps of YAML files. Raises ConfigError also if two that differ have one name."""
    loaded = [load_sweep(path, overrides) for path in paths]
    ids: dict[str, str] = {}
    for each in loaded:
        if ids.setdefault(each.sweep.name, each.sweep.sweep_id) != each.sweep.sweep_id:
            raise ConfigError(f"two of these sweeps are named {each.sweep.name!r}; reports would show only one")
    return loaded


def _written(path: Path) -> strict_yaml.Document:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return strict_yaml.parse(text, str(path))


def _taken(sweep: Mapping[str, Any]) -> strict_yaml.Document:
    """Return a mapping as if it had been read from a file, which has nothing but texts, numbers and the like."""
    try:
        text = json.dumps(dict(sweep))
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"a sweep has texts, numbers, lists and mappings of them: {first_line(error)}") from error
    return strict_yaml.Document(strict_yaml.parse(text, "the sweep").data, "the sweep")


def _take_root(document: strict_yaml.Document) -> str | None:
    """Take `dataset.root`, which is no option of a dataset, out of the sweep and its variants, and return it."""
    variants = document.data.get("variants")
    holders = [document.data, *(variants if isinstance(variants, list) else [])]
    datasets = [holder["dataset"] for holder in holders if isinstance(holder, dict) and "dataset" in holder]
    roots = [dataset.pop("root") for dataset in datasets if isinstance(dataset, dict) and "root" in dataset]
    where = f"{document.where(('dataset', 'root'))}: dataset.root"
    for root in roots:
        if not isinstance(root, str):
            raise ConfigError(f"{where}: must be a path, got {root!r}")
    if len(set(roots)) > 1:
        raise ConfigError(f"{where}: all variants must have one data folder, got {' and '.join(sorted(set(roots)))}")
    return roots[0] if roots else None


def _apply(document: strict_yaml.Document, override: str) -> None:
    if not isinstance(override, str):
        raise ConfigError(f"an override is a text, key=value, got {shown(override)}")
    key, separator, text = override.partition("=")
    if not separator or not key.strip():
        raise ConfigError(f"--set wants key=value, got {override!r}")
    path = tuple(key.strip().split("."))
    named = f"--set {printable(override if len(override) <= 120 else f'{override[:100]}…')}"
    value = strict_yaml.parse(text, named).data
    _set(document.data, path, value, override)
    variants = document.data.get("variants")
    for variant in variants if isinstance(variants, list) else []:
        # What is set on the command line counts for every variant; each keeps its name.
        if isinstance(variant, dict) and path[0] != "name" and path[0] in variant:
            _set(variant, path, value, override)
    document.origins[path] = named


def _set(node: dict[str, Any], path: tuple[str, ...], value: Any, override: str) -> None:
    for depth, part in enumerate(path[:-1]):
        inside = node.setdefault(part, {})
        if isinstance(inside, str):  # `network: mlp` grows into a mapping when an option of it is set
            inside = node[part] = {"name": inside}
        if not isinstance(inside, dict):
            raise ConfigError(f"--set {override}: {'.'.join(path[: depth + 1])} is not a mapping, got {shown(inside)}")
        node = inside
    node[path[-1]] = value


#: What the patterns of keys stand for.
PATTERNS = {
    NAME: "must be small letters, digits and underscores",
    PLACE: "must be a name of letters, digits and underscores, or module:function of your own",
}


def _explain(item: Any, document: strict_yaml.Document) -> str:
    path = tuple(part for part in item["loc"] if part != "options")  # options of a choice are written flat in YAML
    message = item["msg"].removeprefix("Value error, ").replace("Input should", "should")
    if not path and "." in message.split()[0]:  # a rule over several keys names the one to change first
        first, _, message = message.partition(" ")
        path = tuple(int(part) if part.isdigit() else part for part in first.split("."))
    if item["type"] == "string_pattern_mismatch":
        message = PATTERNS[item["ctx"]["pattern"]]
    key = ".".join(str(part) for part in path) or "the sweep"
    if item["type"] == "extra_forbidden":
        if item["loc"][-1] == "options":
            key = ".".join(map(str, path := (*path, "options")))
        known = _keys_at(Sweep, path[:-1])
        return f"{document.where(path)}: {key}: unknown key {path[-1]!r}{did_you_mean(str(path[-1]), known)}"
    if item["type"] == "missing":
        return f"{document.where(path)}: {key}: this key is required"
    got = "" if isinstance(item["input"], dict | BaseModel) else f", got {shown(item['input'])}"
    return f"{document.where(path)}: {key}: {message}{got if ', got' not in message else ''}"


def _keys_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    for part in path:
        field = model.model_fields.get(str(part))
        kinds = [field.annotation, *getattr(field.annotation, "__args__", ())] if field else []
        inner = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if inner:
            model = inner[0]
    return list(model.model_fields)
