"""The JSON Schema of a sweep file, by which editors complete keys and underline mistakes while one writes."""

import inspect
import json
import re
from typing import Any

from autoreg.config.sweep import Sweep
from autoreg.config.trial import TrialConfig
from autoreg.metrics import metrics
from autoreg.metrics.registries import REGISTRIES
from autoreg.registry import Registry

#: The keys whose value is a registered thing, alone or in a list.
_CHOICES = {kind.removesuffix("s"): registry for kind, registry in REGISTRIES.items() if kind != "metrics"}


def sweep_schema() -> dict[str, Any]:
    """Return the schema: every key with its type, its range and what it means, and the options of everything known."""
    schema = Sweep.model_json_schema()
    definitions = schema["$defs"]
    meanings = _meanings(inspect.getdoc(TrialConfig) or "")
    for section in (*definitions.values(), schema):
        meanings_here = meanings | _meanings(section.get("description", ""))
        for key, value in section.get("properties", {}).items():
            value.pop("title", None)
            if key in meanings_here:
                value["description"] = meanings_here[key]
            if key in _CHOICES:
                if isinstance(default := value.get("default"), dict):
                    value["default"] = default["name"]
                section["properties"][key] = json.loads(json.dumps(value).replace("#/$defs/Choice", f"#/$defs/{key}"))
    for key, registry in _CHOICES.items():
        definitions[key] = _choice(registry, {"root": {"type": "string"}} if key == "dataset" else {})
    del definitions["Choice"]
    definitions["Measure"]["properties"]["metrics"]["properties"] = {
        name: {"type": "object", "properties": metrics.option_schemas(name)} for name in metrics
    }
    for key in ("grid", "training"):  # a variant names some of the keys
        whole = definitions[key.capitalize()]
        definitions["Variant"]["properties"][key] = {name: whole[name] for name in whole if name != "required"}
    return schema | {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A sweep of autoreg"}


def _choice(registry: Registry[Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a name, or of a mapping with a name and the options that belong to it."""
    names = [
        {"const": name, "description": (inspect.getdoc(registry[name]) or "").partition("\n")[0]} for name in registry
    ]
    path = {
        "type": "string",
        "pattern": "^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$",
        "description": "module:function",
    }
    mappings = [
        {
            "type": "object",
            "properties": {"name": {"const": name}} | registry.option_schemas(name) | more,
            "required": [
                "name",
                *(key for key, option in registry.options(name).items() if option.default is option.empty),
            ],
            "additionalProperties": False,
        }
        for name in registry
    ]
    mapping_of_path = {"type": "object", "properties": {"name": path}, "required": ["name"]}
    return {"anyOf": [*names, path, *mappings, mapping_of_path]}


def _meanings(docstring: str) -> dict[str, str]:
    """Return what the `Attributes` section of a docstring says of each key."""
    meanings: dict[str, str] = {}
    names: list[str] = []
    for line in docstring.partition("Attributes:\n")[2].splitlines():
        if named := re.match(r"^ {4}([a-z_, ]+): (.*)", line):
            names = named[1].split(", ")
            meanings |= dict.fromkeys(names, named[2])
        elif line.startswith(" " * 8):
            meanings |= {name: f"{meanings[name]} {line.strip()}" for name in names}
    return meanings
