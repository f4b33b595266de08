"""Where a sweep's numbers come from: what it asked for, versions and devices."""

import json
from typing import Any

import yaml

from autoreg.config.sweep import load_definition
from autoreg.config.trial import Choice
from autoreg.database.connection import query
from autoreg.database.schema import Connection
from autoreg.errors import ConfigError, duration
from autoreg.report.provenance import trained_with


def read_origin(connection: Connection, sweep_id: str) -> dict[str, Any]:
    """Return a sweep's `definition` as YAML, `environment`, `devices`, and how long training `lasted`."""
    facts = """
        select
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
        "definition": as_yaml(found["definition"]),
        "environment": trained_with(connection, sweep_id),
        "devices": found["devices"],
        "lasted": duration(found["seconds"]) if found["seconds"] else "0 s",
    }


def _flat(value: Any) -> Any:
    """Return a value as files have it: a choice with its options beside its name, without what a plan adds."""
    if isinstance(value, list):
        return [_flat(each) for each in value]
    if isinstance(value, dict) and "name" in value and value.keys() <= Choice.model_fields.keys():
        return {"name": value["name"], **value.get("options", {})}
    return {key: _flat(each) for key, each in value.items()} if isinstance(value, dict) else value


def as_yaml(definition: str) -> str:
    """Return what a sweep asks for as its file might have it, what repeats a default left out."""
    try:
        asked = load_definition(definition).model_dump(mode="json", exclude_defaults=True)
    except ConfigError:  # of another version
        asked = json.loads(definition)
    text: str = yaml.safe_dump(_flat(asked), sort_keys=False, allow_unicode=True, width=100)
    return text
