"""The command that makes a sweep's numbers again."""

import json
import shlex
from pathlib import Path

import pytest

from autoreg.config.sweep_file import load_sweep
from autoreg.packaged import find_sweep
from autoreg.report.page.origin import as_yaml, command_again


def recorded(*overrides: str) -> str:
    """Return the definition that results.db has of the quickstart with these overrides: without default options."""
    from autoreg.orchestrator.plan import make_plan

    return make_plan(load_sweep(find_sweep("quickstart"), overrides)).sweep.model_dump_json()


def test_a_packaged_sweep_is_named_alone() -> None:
    assert command_again("quickstart", recorded()) == "autoreg sweep quickstart"


@pytest.mark.parametrize(
    "overrides",
    [
        ["training.epochs=3", "replicates=5"],
        ["grid.width=[1/2,2]", "dataset.train_size=500", "tune.space.learning_rate.low=0.002"],
        ["grid.initializer=[{name: normal, sigma: 3}]"],
    ],
)
def test_what_was_set_is_set_again(overrides: list[str]) -> None:
    definition = recorded(*overrides)
    words = shlex.split(command_again("quickstart", definition) or "")
    assert words[:3] == ["autoreg", "sweep", "quickstart"]
    assert words[3::2] == ["--set"] * len(overrides)
    assert json.loads(recorded(*words[4::2])) == json.loads(definition)


def test_another_sweep_comes_as_a_file(tmp_path: Path) -> None:
    definition = recorded("name=mine", "replicates=3")
    assert command_again("mine", definition) is None
    path = tmp_path / "mine.yaml"
    path.write_text(as_yaml(definition), encoding="utf-8")
    assert load_sweep(path).sweep.model_dump() == load_sweep(json.loads(definition)).sweep.model_dump()
