"""Whatever stands at whatever key of a sweep file, it is taken, or refused in plain lines."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autoreg.cli.main import main
from autoreg.config.sweep import Sweep
from autoreg.config.sweep_file import load_sweep
from autoreg.datasets import datasets
from autoreg.errors import AutoregError
from autoreg.metrics import metrics
from autoreg.networks import networks
from autoreg.orchestrator.plan import check_resources, check_size, make_plan
from tests.helpers.small_sweep import SWEEP, TUNE


def keys_of(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    """Yield every key below a section of the schema, dotted as `--set` takes it."""
    for part in (schema, *schema.get("anyOf", [])):
        section = definitions[part["$ref"].rpartition("/")[2]] if "$ref" in part else part
        for name, inside in section.get("properties", {}).items():
            yield name
            yield from (f"{name}.{key}" for key in keys_of(inside, definitions))


def option_keys() -> Iterator[str]:
    """Yield the keys that no model knows: options of what `SWEEP` names, of all metrics, and names of a user's own."""
    for key, registry, name in (("network", networks, "mlp"), ("dataset", datasets, "teacher")):
        yield from (f"{key}.{option}" for option in registry.options(name))
    for name in metrics:
        yield from (
            f"measure.metrics.{name}",
            *(f"measure.metrics.{name}.{option}" for option in metrics.options(name)),
        )
    yield from ("dataset.root", "resources.gpu.1/4")


SCHEMA = Sweep.model_json_schema()
KEYS = [*keys_of(SCHEMA, SCHEMA["$defs"]), *option_keys()]
VALUES = [
    "null", "[]", "{}", "''", "x", "true", "-1", "0", "1", "1e308", "1e-308", "1e999", "'1e400'", "'1e999999999'",
    "9" * 99, "1000000000000000", "[[]]", "[1]", "[x]", "[null]", "[{}]", "[1e308]", "['1e400']", "{a: 1}",
    "{name: {}}", "{name: x, options: 3}", "{1e999999999: 1}", "[{name: a}, {name: a}]",
    "[{name: a, grid: {width: 1}}]", "[{name: a, training: {x: {y: 1}}}]",
    '"a\\nb"', '"\\ud800"', '"\\e[2J"', '"\\0"', '{"a\\nb": 1}', '[{name: "\\e[2J"}]',
    "os:system", "nowhere:x", ":", "'~nobody/x'", "x" * 5000,
]  # fmt: skip


@pytest.mark.timeout(60)  # `Fraction("1e999999999")` would take hours
@pytest.mark.parametrize("key", KEYS)
def test_any_value_at_a_key_is_taken_or_refused(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTOREG_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SWEEP)
    for value in VALUES:
        try:
            loaded = load_sweep(Path("small.yaml"), [*([TUNE] if key.startswith("tune.") else []), f"{key}={value}"])
            check_size(loaded)
            check_resources(loaded)
            make_plan(loaded)
        except AutoregError as error:
            for line in str(error).split("\n"):  # one for each mistake
                assert line.startswith(("small.yaml", "--set ")), value
                assert line.isprintable(), value
                assert len(line) < 1000, value


@pytest.mark.timeout(60)  # one after another they would take hours
def test_a_dry_run_of_thousands_of_millions_of_trials_does_not_make_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SWEEP)
    override = ["--set", "replicates=2000000000"]
    monkeypatch.setattr(sys, "argv", ["autoreg", "sweep", "--dry-run", "small.yaml", "small.yaml", *override])
    main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "4000000000 final trials, 0 tuning trials, with --yes also those already done"
