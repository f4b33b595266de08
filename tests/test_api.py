"""Sweeps and trained networks from Python, as a notebook has them."""

from pathlib import Path

import numpy as np
import pytest
import torch

import autoreg
from autoreg.errors import ConfigError


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


def test_a_trial_that_is_not_there_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no trial 'abc' in"):
        autoreg.load_trial("abc", runs=tmp_path)


def test_a_plan_leaves_no_setting_or_random_state_of_a_network_behind() -> None:
    network = "network={name: 'tests.helpers.drawing:build', double: true}"
    before = np.random.get_state()[1].tolist()
    autoreg.plan(autoreg.load_sweep("quickstart", network, "tune=null"))
    assert torch.get_default_dtype() == torch.float32
    assert np.random.get_state()[1].tolist() == before
