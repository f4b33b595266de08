"""A trial that an earlier version computed otherwise has another id; every other trial keeps its own."""

from collections.abc import Callable
from itertools import product

import pytest

from autoreg.config.sweep_file import LoadedSweep
from autoreg.config.trial import Choice, TrialConfig
from autoreg.networks import unallocated_network
from autoreg.networks.revision import is_revised
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.resume import superseded
from autoreg.runs.folder import Runs
from tests.networks.test_networks import SHAPES, WIDTHS

MakeConfig = Callable[..., TrialConfig]
Small = Callable[..., LoadedSweep]


def revised(config: MakeConfig, network: Choice, width: float, shape: tuple[int, ...], classes: int = 2) -> bool:
    made = config(network=network, width=width)
    return is_revised(unallocated_network(made, shape, classes), width)


@pytest.mark.parametrize(("name", "width"), [*product(SHAPES, WIDTHS)])
def test_no_packaged_network_at_a_width_of_the_paper_is_another(config: MakeConfig, name: str, width: float) -> None:
    assert not revised(config, Choice(name=name), width, *SHAPES[name])


@pytest.mark.parametrize(
    ("hidden", "width", "is_other"), [(100, 0.29, True), (100, 2.3, True), (128, 0.29, False), (99, 1 / 3, False)]
)
def test_a_layer_that_floats_made_one_unit_too_small_makes_another_trial(
    config: MakeConfig, hidden: int, width: float, is_other: bool
) -> None:
    assert revised(config, Choice(name="mlp", options={"hidden": hidden}), width, (10,)) is is_other
    assert is_other is (int(hidden * width) != round(hidden * width, 6) // 1)


def test_only_the_settings_that_changed_get_new_ids_and_an_older_trial_of_them_is_named(
    small: Small, runs: Runs, finish: Callable[..., None]
) -> None:
    loaded = small("network.hidden=100", "grid.width=[1/4, 0.29]", "grid.lr_batch_factor=[1, 0.58]", "tune=null")
    plan = make_plan(loaded)
    groups = {group.template.width: group for group, _ in plan.groups}
    assert [parameters for _, parameters in plan.groups] == [29 * 13 + 2, 25 * 13 + 2]
    before = {group.template.width: group for group in loaded.sweep.groups()}
    assert groups[0.25].template == before[0.25].template
    assert groups[0.29].template != before[0.29].template
    assert groups[0.29].template.as_before() == before[0.29].template
    assert [group.template.config_id for group, _ in plan.groups] == [
        group.template.config_id for group in sorted(plan.sweep.groups(), key=lambda group: -group.template.width)
    ]
    assert list(superseded([*groups.values()], runs)) == []
    finish(before[0.29].template)
    [line] = superseded([*groups.values()], runs)
    assert line.startswith(
        "trained anew: mlp(hidden=100) 29/100x glorot_normal: an earlier version computed something else"
    )


def test_variants_are_marked_each_by_itself(small: Small) -> None:
    variants = "variants=[{name: a, network: {name: mlp, hidden: 100}}, {name: b, network: mlp}]"
    plan = make_plan(small(variants, "grid.width=[0.29]", "tune=null"))
    marks = {group.variants: group.template.network.revised for group, _ in plan.groups}
    assert marks == {("a",): [0.29], ("b",): []}
