"""Sweeps and trained networks from Python, as a notebook has them."""

import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import autoreg
from autoreg.database.connection import reading
from autoreg.errors import ConfigError
from autoreg.report.figure import read_figure
from autoreg.report.figures.source import find_figures


def test_every_name_of_the_package_is_there_and_says_what_it_is() -> None:
    for name in autoreg.__all__:
        assert getattr(autoreg, name).__doc__, name
        assert name in dir(autoreg)
        assert name in (autoreg.__doc__ or "") or name in ("Measures", "Trial")
    with pytest.raises(AttributeError, match="no attribute 'lode_sweep'"):
        autoreg.lode_sweep  # noqa: B018


@pytest.mark.usefixtures("forks")
def test_a_sweep_is_loaded_planned_run_and_its_networks_loaded(tmp_path: Path) -> None:
    sweep = autoreg.load_sweep("quickstart", "tune=null", "training.epochs=2", "replicates=1", "grid.width=[1]")
    plan = autoreg.plan(sweep)
    assert [parameters for _, parameters in plan.groups] == [1666, 1666]
    assert repr(sweep) == "<sweep quickstart: 2 final and 0 tuning trials, figures B5>"
    assert repr(plan).splitlines() == [
        "<plan of quickstart: 2 final and 0 tuning trials, 2 settings>",
        "  mlp 1x normal(sigma=0.01): 1,666 parameters",
        "  mlp 1x normal(sigma=1.0): 1,666 parameters",
    ]
    folder = {"database": tmp_path / "results.db", "runs": tmp_path / "runs"}
    summary = autoreg.run(plan, **folder)
    assert (summary.trained, summary.problems) == (2, [])
    assert autoreg.run(sweep, **folder).skipped == 2

    [source] = find_figures("B5")
    with reading(folder["database"]) as connection:
        drawn = read_figure(connection, source).write(tmp_path / "out", ["csv"])
    told = json.loads(drawn[-1].read_text())["trained_with"]
    assert (told["torch"], told["host"]) == (torch.__version__, platform.node())
    assert told.keys() >= {"ray", "optuna", "cpu", "python", "data"}

    trials = autoreg.Results(folder["database"]).table("trials").to_dicts()
    assert len(trials) == 2
    for row in trials:
        trial = autoreg.load_trial(row["trial_id"], runs=folder["runs"])
        assert repr(trial).startswith(f"<trial {row['trial_id']}: mlp 1x normal(sigma=")
        assert repr(trial).endswith(f"test accuracy {row['test_accuracy']:.1%}; units: hidden 128>")
        hits = 0
        with torch.inference_mode():
            for inputs, labels in trial.dataset.batches("test"):
                hits += int((trial.network(inputs).argmax(1) == labels).sum())
        assert hits / len(trial.dataset.test) == pytest.approx(row["test_accuracy"])


def test_a_sweep_may_be_a_dict(tmp_path: Path) -> None:
    given = {
        "name": "small",
        "network": "mlp",
        "dataset": {"name": "teacher", "train_size": 200},
        "grid": {"width": [1 / 4, "1/2"]},
        "replicates": 2,
        "training": {"learning_rate": 1e-5, "batch_size": 50, "epochs": 3, "shuffle": False, "patience": None},
    }
    (tmp_path / "small.yaml").write_text(
        "name: small\nnetwork: mlp\ndataset: {name: teacher, train_size: 200}\ngrid: {width: [1/4, 1/2]}\n"
        "replicates: 2\ntraining: {learning_rate: 1e-5, batch_size: 50, epochs: 4, shuffle: false, patience: null}\n"
    )
    written = autoreg.load_sweep(tmp_path / "small.yaml")
    assert autoreg.load_sweep(given, "training.epochs=4").sweep.sweep_id == written.sweep.sweep_id
    with pytest.raises(ConfigError, match=r"^the sweep: training\.epochs: should be greater than .* got -1$"):
        autoreg.load_sweep({**given, "training": {**given["training"], "epochs": -1}})  # type: ignore[dict-item]
    with pytest.raises(
        ConfigError, match="a sweep has texts, numbers, lists and mappings of them: Object of type int64"
    ):
        autoreg.load_sweep({**given, "replicates": np.int64(2)})


def test_a_network_of_a_notebooks_cell_is_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigError, match=r"'__main__:build' is defined in a notebook .* put it into a file, mine\.py"):
        autoreg.plan(autoreg.load_sweep("quickstart", "network=__main__:build"))


def test_a_trial_that_is_not_there_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no trial 'abc' in"):
        autoreg.load_trial("abc", runs=tmp_path)


def test_a_plan_leaves_no_setting_or_random_state_of_a_network_behind() -> None:
    network = "network={name: 'tests.helpers.drawing:build', double: true}"
    before = np.random.get_state()[1].tolist()
    autoreg.plan(autoreg.load_sweep("quickstart", network, "tune=null"))
    assert torch.get_default_dtype() == torch.float32
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize("override", [None, {"training.epochs": 1}])
def test_an_override_that_is_no_text_is_refused_in_one_line(override: Any) -> None:
    with pytest.raises(ConfigError, match="an override is a text, key=value, got "):
        autoreg.load_sweep("quickstart", override)
