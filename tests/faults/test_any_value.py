"""Whatever stands at whatever key of a sweep file, it is taken, or refused in plain lines, at once."""

import sys
import time
from pathlib import Path

import pytest

from autoreg.cli.main import main
from autoreg.config.sweep_file import load_sweep
from autoreg.errors import AutoregError
from autoreg.orchestrator.plan import check_resources, check_size, make_plan
from tests.helpers.small_sweep import SWEEP, TUNE

KEYS = [
    "name", "figures", "network", "network.name", "network.hidden", "network.options", "dataset", "dataset.root",
    "dataset.train_size", "dataset.dimensions", "dataset.seed", "initializer", "initializer.name", "grid",
    "grid.width", "grid.initializer", "grid.optimizer", "grid.regularizer", "grid.random_labels",
    "grid.lr_batch_factor", "grid.epochs", "variants", "replicates", "training", "training.optimizer",
    "training.learning_rate", "training.batch_size", "training.schedule", "training.epochs", "training.patience",
    "training.shuffle", "training.augmentation", "training.dropout", "training.weight_decay",
    "training.weight_average", "tune", "tune.space", "tune.space.learning_rate", "tune.space.learning_rate.low",
    "tune.space.batch_size", "tune.trials", "tune.epochs", "tune.startup", "tune.pruning", "tune.warmup", "measure",
    "measure.splits", "measure.metrics", "measure.metrics.ablation", "measure.metrics.ablation.fractions",
    "measure.metrics.similarity.threshold", "measure.metrics.similarity.max_vectors", "resources", "resources.cpus",
    "resources.gpu", "resources.gpu.1/4", "resources.measuring", "resources.time_limit_hours",
]  # fmt: skip
VALUES = [
    "null", "[]", "{}", "''", "x", "true", "-1", "0", "1", "1e308", "1e-308", "1e999", "'1e400'", "'1e999999999'",
    "9" * 99, "1000000000000000", "[[]]", "[1]", "[x]", "[null]", "[{}]", "[1e308]", "['1e400']", "{a: 1}",
    "{name: {}}", "{name: x, options: 3}", "{1e999999999: 1}", "[{name: a}, {name: a}]",
    "[{name: a, grid: {width: 1}}]", "[{name: a, training: {x: {y: 1}}}]",
    '"a\\nb"', '"\\ud800"', '"\\e[2J"', '"\\0"', '{"a\\nb": 1}', '[{name: "\\e[2J"}]',
    "os:system", "nowhere:x", ":", "'~nobody/x'", "x" * 5000,
]  # fmt: skip
#: Plenty, even on a busy machine; `Fraction("1e999999999")` would take hours.
SECONDS = 5.0


@pytest.mark.parametrize("key", KEYS)
def test_any_value_at_a_key_is_taken_or_refused(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTOREG_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SWEEP)
    for value in VALUES:
        started = time.monotonic()
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
        assert time.monotonic() - started < SECONDS, value


def test_a_dry_run_of_thousands_of_millions_of_trials_takes_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SWEEP)
    override = ["--set", "replicates=2000000000"]
    monkeypatch.setattr(sys, "argv", ["autoreg", "sweep", "--dry-run", "small.yaml", "small.yaml", *override])
    started = time.monotonic()
    main()
    assert time.monotonic() - started < SECONDS
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "4000000000 final trials, 0 tuning trials, with --yes also those already done"
