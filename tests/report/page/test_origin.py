"""What a sweep asked for, as the page has it."""

import json
from pathlib import Path

import yaml

from autoreg.config.sweep_file import load_sweep
from autoreg.orchestrator.plan import make_plan
from autoreg.packaged import find_sweep
from autoreg.report.page.origin import as_yaml


def test_a_sweep_comes_as_a_file_that_asks_for_the_same(tmp_path: Path) -> None:
    overrides = ["name=mine", "replicates=3", "grid.initializer=[{name: normal, sigma: 3}]"]
    definition = make_plan(load_sweep(find_sweep("quickstart"), overrides)).sweep.model_dump_json()
    path = tmp_path / "mine.yaml"
    path.write_text(as_yaml(definition), encoding="utf-8")
    assert load_sweep(path).sweep.model_dump() == load_sweep(json.loads(definition)).sweep.model_dump()


def test_what_a_plan_adds_to_own_code_is_not_in_the_file(tmp_path: Path) -> None:
    choice = {"name": "mine:net", "source": "0123456789abcdef", "revised": [0.25]}
    definition = {"name": "own", "network": choice, "grid": {"initializer": [{"name": "he_normal", "source": None}]}}
    assert yaml.safe_load(as_yaml(json.dumps(definition))) == {
        "name": "own", "network": {"name": "mine:net"}, "grid": {"initializer": [{"name": "he_normal"}]},
    }  # fmt: skip
