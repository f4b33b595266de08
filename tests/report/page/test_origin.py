"""What a sweep asked for, as the page has it."""

import json
from pathlib import Path

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
