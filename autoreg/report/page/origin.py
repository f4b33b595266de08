"""Where a sweep's numbers come from: versions, devices, and the command that makes them again."""

import ast
import json
import shlex
from collections.abc import Sequence
from functools import cache
from typing import Any

import yaml

from autoreg.config.sweep import load_definition
from autoreg.config.sweep_file import load_sweep
from autoreg.database.connection import query
from autoreg.database.schema import Connection
from autoreg.errors import ConfigError
from autoreg.packaged import find_sweep, packaged_folder, sweep_names
from autoreg.report.provenance import trained_with


def read_origin(connection: Connection, sweep_id: str) -> dict[str, Any]:
    """Return a sweep's `command`, `definition` as YAML, `environment`, `devices`, and how long training `lasted`."""
    facts = """
        select
            any_value(name) as name,
            any_value(definition)::varchar as definition,
            coalesce(string_agg(distinct device, ', ' order by device), '') as devices,
            coalesce(sum(seconds), 0) as seconds
        from sweeps
        left join sweep_trials using (sweep_id)
        left join trials using (trial_id)
        where sweep_id = $id
    """
    [found] = query(connection, facts, id=sweep_id).to_dicts()
    return {
        "command": command_again(found["name"], found["definition"]),
        "definition": as_yaml(found["definition"]),
        "environment": trained_with(connection, sweep_id),
        "devices": found["devices"],
        "lasted": _lasted(found["seconds"]),
    }


def _lasted(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def command_again(name: str, definition: str) -> str | None:
    """Return the command by which a packaged sweep computes the same; None if it takes a file.

    The command is tried: it is the one with which `load_sweep` gives this very sweep.
    """
    if name not in sweep_names():
        return None
    try:
        asked = load_definition(definition).model_dump(mode="json")
        changes = _changes(_packaged(name), asked)
        again = _packaged(name, changes)
    except ConfigError:  # of another version, or no --set can say it
        return None
    words = ["autoreg", "sweep", name, *(word for change in changes for word in ("--set", change))]
    return shlex.join(words) if again == asked else None


def _packaged(name: str, changes: Sequence[str] = ()) -> Any:
    """Return what a packaged sweep asks for, as it is recorded: without the options that repeat a default."""
    return _recorded(load_sweep(find_sweep(name), changes).sweep.model_dump(mode="json"))


def _recorded(value: Any) -> Any:
    if isinstance(value, list):
        return [_recorded(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "options" in value:
        defaults = _defaults().get(value["name"], {})
        kept = {key: given for key, given in value["options"].items() if key not in defaults or defaults[key] != given}
        return {**value, "options": kept}
    return {key: _recorded(each) for key, each in value.items()}


@cache
def _defaults() -> dict[str, dict[str, Any]]:
    """Return the defaults of the options of each packaged network, dataset, schedule and so on, as its file has them.

    They are read and not imported, since that takes PyTorch, which a report does without.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in (
        file for folder in ("datasets", "networks", "training") for file in packaged_folder(folder).glob("*.py")
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.decorator_list:
                options = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
                written = {option.arg: default for option, default in options if isinstance(default, ast.Constant)}
                found[node.name] = {option: default.value for option, default in written.items()}
    return found


def _changes(before: Any, after: Any, path: str = "") -> list[str]:
    """Return what is to be set, `key=value`, for one mapping to become the other."""
    if before == after:
        return []
    if (
        isinstance(before, dict)
        and isinstance(after, dict)
        and before.keys() == after.keys()
        and "options" not in after
    ):
        inside = ((f"{path}.{key}" if path else key, key) for key in after)
        return [change for place, key in inside for change in _changes(before[key], after[key], place)]
    return [f"{path}={json.dumps(_flat(after), ensure_ascii=False)}"]


def _flat(value: Any) -> Any:
    """Return a value as files have it: a choice with its options beside its name."""
    if isinstance(value, list):
        return [_flat(each) for each in value]
    if isinstance(value, dict) and "options" in value:
        return {"name": value["name"], **value["options"]}
    return {key: _flat(each) for key, each in value.items()} if isinstance(value, dict) else value


def as_yaml(definition: str) -> str:
    """Return what a sweep asks for as its file might have it, what repeats a default left out."""
    try:
        asked = load_definition(definition).model_dump(mode="json", exclude_defaults=True)
    except ConfigError:  # of another version
        asked = json.loads(definition)
    text: str = yaml.safe_dump(_flat(asked), sort_keys=False, allow_unicode=True, width=100)
    return text
