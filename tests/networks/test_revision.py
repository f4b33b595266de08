"""A trial that an earlier version computed otherwise has another id; every other trial keeps its own."""

import random
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from autoreg.config.sweep_file import LoadedSweep
from autoreg.config.trial import Choice, TrialConfig
from autoreg.errors import ConfigError
from autoreg.networks import Network, unallocated_network, units
from autoreg.networks.revision import is_revised
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.resume import superseded
from autoreg.runs.folder import Runs
from tests.networks.test_networks import SHAPES, WIDTHS

MakeConfig = Callable[..., TrialConfig]
Small = Callable[..., LoadedSweep]


class Looks(nn.Linear):
    """Looks at the values that it is given."""

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs if inputs.sum() > 0 else -inputs)


class Swap(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return values.transpose(1, 2)


def hidden(kind: str) -> list[tuple[str, nn.Module]]:
    match kind:
        case "plain" | "decays_biases":
            return [("hidden", nn.Sequential(nn.Linear(10, 8), nn.LayerNorm(8), nn.ReLU()))]
        case "wide_norm":
            return [
                ("hidden", nn.Sequential(nn.Unflatten(1, (2, 5)), nn.LayerNorm([2, 5]), nn.Flatten(), nn.Linear(10, 8)))
            ]
        case "magnitudes":
            return [("hidden", nn.Sequential(parametrizations.weight_norm(nn.Linear(10, 8)), nn.ReLU()))]
        case "orthogonal":
            return [("hidden", nn.Sequential(parametrizations.orthogonal(nn.Linear(10, 8)), nn.ReLU()))]
        case "twice":
            relu = nn.ReLU()
            return [("one", nn.Linear(10, 8)), ("relu", relu), ("two", nn.Linear(8, 8)), ("hidden", relu)]
        case "positions":
            return [("cut", nn.Unflatten(1, (2, 5))), ("hidden", nn.Linear(5, 4))]
        case "swapped":
            return [("cut", nn.Unflatten(1, (2, 5))), ("hidden", nn.Sequential(nn.Linear(5, 4), Swap()))]
        case "frozen":
            return [("hidden", nn.Sequential(nn.Linear(10, 8).requires_grad_(False), nn.ReLU()))]
        case "hooked":
            stage = nn.Sequential(nn.Linear(10, 8), nn.ReLU())
            stage.register_forward_hook(lambda module, given, output: 5 - output)
            return [("hidden", stage)]
        case "hook_inside":
            linear = nn.Linear(10, 8)
            linear.register_forward_hook(lambda module, given, output: 5 - output)
            return [("hidden", nn.Sequential(linear, nn.ReLU()))]
        case "looks":
            return [("hidden", nn.Sequential(Looks(10, 8), nn.ReLU()))]
        case _:
            raise ValueError(kind)


def build(width: float, input_shape: tuple[int, ...], classes: int, dropout: float, *, kind: str) -> Network:
    stages = [*hidden(kind), ("flatten", nn.Flatten()), ("output", nn.Linear(8, classes))]
    kinds = ["weights", "biases"] if kind == "decays_biases" else ["weights"]
    return Network(stages, measured=["hidden"], decayed_kinds=kinds)  # type: ignore[arg-type]


def revised(config: MakeConfig, network: Choice, width: float, shape: tuple[int, ...], classes: int = 2) -> bool:
    made = config(network=network, width=width)
    return is_revised(unallocated_network(made, shape, classes), made, shape, classes)


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


def one_more(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    hidden = units(100, width) + 1
    first = nn.Sequential(nn.Linear(input_shape[0], hidden), nn.ReLU())
    return Network([("hidden", first), ("output", nn.Linear(hidden, classes))], measured=["hidden"])


@pytest.mark.parametrize(("width", "is_other"), [(0.29, True), (0.25, False), (0.3, False)])
def test_what_is_computed_from_units_counts_too(config: MakeConfig, width: float, is_other: bool) -> None:
    assert revised(config, Choice(name=f"{__name__}:one_more"), width, (10,)) is is_other


@pytest.mark.parametrize(
    ("kind", "is_other"),
    [
        ("plain", False), ("wide_norm", True), ("magnitudes", True), ("orthogonal", True), ("twice", True),
        ("positions", True), ("looks", True), ("decays_biases", True),
        ("frozen", True), ("hooked", True), ("hook_inside", False),
    ],
)  # fmt: skip
def test_a_custom_network_is_another_where_its_weights_its_decay_or_its_units_are_others(
    config: MakeConfig, kind: str, is_other: bool
) -> None:
    network = Choice(name=f"{__name__}:build", options={"kind": kind})
    assert revised(config, network, 0.25, (10,)) is is_other


BACKBONE = nn.Sequential(nn.Linear(10, 8), nn.ReLU())
FROZEN = nn.Sequential(nn.Linear(10, 8), nn.ReLU()).requires_grad_(False)


def on(backbone: nn.Module) -> Callable[..., Network]:
    def built(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
        return Network([("hidden", backbone), ("output", nn.Linear(8, classes))], measured=["hidden"])

    return built


on_one, on_a_frozen_one = on(BACKBONE), on(FROZEN)


def test_a_network_that_is_built_on_the_same_module_each_time_is_refused_unless_it_is_frozen(
    config: MakeConfig,
) -> None:
    with pytest.raises(ConfigError, match="gives the same module each time it is called, which one trial after"):
        revised(config, Choice(name=f"{__name__}:on_one"), 1, (10,))
    assert revised(config, Choice(name=f"{__name__}:on_a_frozen_one"), 1, (10,))


def uses(draw: Callable[[], object]) -> Callable[..., Network]:
    def built(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
        draw()
        return build(width, input_shape, classes, dropout, kind="plain")

    return built


by_numpy, by_python = uses(lambda: np.random.randn(3)), uses(random.random)
by_torch, by_a_generator_of_its_own = uses(lambda: torch.randn(3)), uses(lambda: np.random.default_rng(0).random(3))


@pytest.mark.parametrize(
    ("name", "is_other"),
    [("by_numpy", True), ("by_python", True), ("by_torch", False), ("by_a_generator_of_its_own", False)],
)
def test_a_network_that_draws_from_what_was_not_seeded_before_is_another(
    config: MakeConfig, name: str, is_other: bool
) -> None:
    assert revised(config, Choice(name=f"{__name__}:{name}"), 0.25, (10,)) is is_other


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
        "trained anew: mlp(hidden=100) 0.29x glorot_normal: an earlier version computed something else"
    )


def test_variants_are_marked_each_by_itself(small: Small) -> None:
    variants = "variants=[{name: a, network: {name: mlp, hidden: 100}}, {name: b, network: mlp}]"
    plan = make_plan(small(variants, "grid.width=[0.29]", "tune=null"))
    marks = {group.variants: group.template.network.revised for group, _ in plan.groups}
    assert marks == {("a",): [0.29], ("b",): []}


@pytest.mark.parametrize(("kind", "words"), [("swapped", "layer 'hidden': which dimension of its activations")])
def test_a_network_that_cannot_be_measured_is_refused_before_anything_trains(
    small: Small, kind: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        make_plan(small(f"network={{name: '{__name__}:build', kind: {kind}}}"))
