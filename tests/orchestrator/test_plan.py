"""A plan knows every name and option, and says where in the file a wrong one stands."""

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest

from autoreg.config.sweep_file import LoadedSweep
from autoreg.errors import ConfigError, DataError
from autoreg.orchestrator.plan import make_plan

Small = Callable[..., LoadedSweep]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("network=mlpp", "network: unknown network 'mlpp'; did you mean 'mlp'"),
        ("network.hiden=3", "network 'mlp' has no option 'hiden'; did you mean 'hidden'"),
        ("network.hidden=0", "option 'hidden' of network 'mlp' should be greater than or equal to 1, got 0"),
        ("network=no.such.module:build", "cannot be imported"),
        ("dataset.name=cifar", "unknown dataset 'cifar'; did you mean 'cifar10'"),
        ("dataset.dimensions=0", "greater than or equal to 1, got 0"),
        ("grid.initializer=[he_normal, hee_normal]", "grid.initializer.1: unknown initializer 'hee_normal'"),
        ("grid.initializer=[normal]", "initializer 'normal' needs the option 'sigma'"),
        ("grid.optimizer=[sgdd]", "unknown optimizer 'sgdd'"),
        ("training.schedule={name: exponential, decay: 2}", "should be less than or equal to 1, got 2"),
        ("training.batch_size=201", "a batch must not be larger than the training set of 200 examples, got 201"),
        ("tune.space={batch_size: [50, 500]}", "a batch must not be larger than the training set"),
        ("grid.lr_batch_factor=[1, 8]", "a batch must not be larger than the training set of 200 examples, got 400"),
        (
            "grid.initializer=[{name: normal, sigma: 1}, {name: normal, sigma: 1, hidden_ratio: 0.1}]",
            "two settings are the same trial: normal(sigma=1.0)",
        ),
        ("training.augmentation=true", "dataset 'teacher' has no augmentation"),
        ("grid.width=[1/1000]", "grid.width: a width must leave a unit in every layer"),
        ("measure.metrics={ablatoin: {}}", "unknown metric 'ablatoin'; did you mean 'ablation'"),
        ("measure.metrics={'pack.mets:sp': {}, 'Pack_mets:sp': {}}", "Pack_mets:sp and pack.mets:sp have one table"),
        ("measure.metrics.ablation.fractions=1", "should be greater than or equal to 2, got 1"),
        ("measure.metrics.similarity.threshold=1", "should be less than 1, got 1"),
    ],
)
def test_a_name_or_option_that_does_not_exist_is_one_line(small: Small, override: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_plan(small(override))
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert "small.yaml:" in str(caught.value) or "--set" in str(caught.value)


def test_missing_data_is_a_data_error(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTOREG_DATA", raising=False)
    with pytest.raises(DataError, match="set AUTOREG_DATA"):
        make_plan(small("network=alexnet", "dataset={name: cifar10}"))


def test_an_option_that_repeats_a_default_is_the_same_trial(small: Small) -> None:
    plain, spelt = (make_plan(small(*overrides)) for overrides in ((), ("network.hidden=128", "dataset.dimensions=10")))
    assert plain.sweep.sweep_id == spelt.sweep.sweep_id
    assert [group.template.trial_id for group, _ in plain.groups] == [
        group.template.trial_id for group, _ in spelt.groups
    ]


def test_a_users_own_network_comes_in_by_its_path(small: Small) -> None:
    plan = make_plan(small("network=tests.helpers.outside:build", "network.depth=2"))
    assert [parameters for _, parameters in plan.groups] == [10 * 8 + 8 + 8 * 2 + 2, 10 * 4 + 4 + 4 * 2 + 2]


@pytest.mark.parametrize("name", ["planned_before", "imported_before"])
def test_a_default_that_was_edited_in_the_same_process_is_the_new_one(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    source = (Path(__file__).parents[1] / "helpers" / "outside.py").read_text(encoding="utf-8")
    source = source.replace("depth: int = 1", "hidden: int = count").replace("int(16 *", "int(hidden *")
    (tmp_path / f"{name}.py").write_text(f"from helper_{name} import count\n{source}")
    helper = tmp_path / f"helper_{name}.py"
    helper.write_text("count = 16\n")
    if name == "planned_before":
        [first, _] = make_plan(small(f"network={name}:build")).groups
        assert (first[1], first[0].template.network.options) == (8 * 13 + 2, {})
    else:
        importlib.invalidate_caches()
        importlib.import_module(name)
    helper.write_text("count = 4 * 8\n")
    [first, _] = make_plan(small(f"network={name}:build", "network.hidden=16")).groups
    assert (first[1], first[0].template.network.options) == (8 * 13 + 2, {"hidden": 16})
    [first, _] = make_plan(small(f"network={name}:build")).groups
    assert (first[1], first[0].template.network.options) == (16 * 13 + 2, {})


def test_trials_of_an_edited_network_are_new_trials(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = (Path(__file__).parents[1] / "helpers" / "outside.py").read_text(encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    ids = []
    for text in (source, source.replace("16", "17"), source):
        (tmp_path / "edited.py").write_text(text, encoding="utf-8")
        [first, _] = make_plan(small("network=edited:build")).groups
        ids.append(first[0].template.trial_id)
    assert ids[0] == ids[2] != ids[1]
