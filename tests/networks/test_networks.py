"""Contracts of every registered network at every width of the paper."""

from collections.abc import Callable
from itertools import pairwise, product

import pytest
import torch
from torch import Tensor, nn

from autoreg.config.trial import Choice, TrialConfig
from autoreg.errors import ConfigError
from autoreg.networks import Auxiliary, Network, build_network, networks, parameter_count
from autoreg.networks.initializers import initialize
from autoreg.networks.pool_first import pool_first

WIDTHS = [0.25, 0.5, 1.0, 2.0, 4.0]
#: Input shape and classes that each network is built for.
SHAPES = {
    "mlp": ((10,), 2),
    "alexnet": ((3, 32, 32), 10),
    "resnet56": ((3, 32, 32), 10),
    "resnet18": ((3, 64, 64), 1000),
    "inception_v3": ((3, 299, 299), 1000),
    "inception_v3_layer": ((3, 299, 299), 1000),
}
#: What is small enough to be run here, where that differs: options, input shape and classes.
SMALL = {name: ({"auxiliary": False}, (3, 75, 75), 10) for name in ("inception_v3", "inception_v3_layer")}
#: Trainable parameters by width; those of the first three are the published ones (appendix B.1), for the others see the
#: networks' own tests.
PARAMETERS = {
    "mlp": [418, 834, 1_666, 3_330, 6_658],
    "alexnet": [438_746, 1_749_930, 6_989_642, 27_938_442, 111_713_546],
    "resnet56": [54_518, 215_362, 856_058, 3_413_482, 13_632_458],
    "resnet18": [831_096, 3_055_880, 11_689_512, 45_693_032, 180_645_096],
    "inception_v3": [2_234_408, 7_505_088, 27_161_264, 102_932_880, 400_313_168],
    "inception_v3_layer": [26_008_520, 26_365_888, 27_161_264, 29_074_576, 34_191_440],
}
INCEPTION = [32, 32, 64, 80, 192, 256, 288, 288, 768, 768, 768, 768, 768, 1280, 2048, 2048]
#: Units of the measured layers that scale with the width, and those that come on top of them at every width.
UNITS = {
    "mlp": [128],
    "alexnet": [96, 256, 384, 192],
    "resnet56": [16, 16, 32, 64],
    "resnet18": [64, 64, 128, 256, 512],
    "inception_v3": INCEPTION,
    "inception_v3_layer": [288 if index in (7, 8) else 0 for index in range(16)],
}
FIXED = {"inception_v3_layer": [*INCEPTION[:7], 0, 480, *INCEPTION[9:]]}

MakeConfig = Callable[..., TrialConfig]


def built(config: MakeConfig, name: str, width: float, **changes: object) -> tuple[Network, Tensor]:
    options, shape, classes = SMALL.get(name, ({}, *SHAPES[name]))
    # Drawing a truncated normal takes ten times as long as a uniform.
    fields = {"initializer": Choice(name="he_uniform"), **changes}
    made = config(network=Choice(name=name, options=options), width=width, **fields)
    network = build_network(made, shape, classes)
    initialize(network, made.initializer, made.replicate)
    inputs = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    return network.eval(), inputs


def test_every_registered_network_has_its_contract_here() -> None:
    assert set(SHAPES) == set(PARAMETERS) == set(UNITS) == set(networks)


@pytest.mark.parametrize("name", SHAPES)
def test_parameter_counts_are_golden_at_every_width(config: MakeConfig, name: str) -> None:
    counts = [parameter_count(config(network=Choice(name=name), width=width), *SHAPES[name]) for width in WIDTHS]
    assert counts == PARAMETERS[name]


@pytest.mark.parametrize(
    ("name", "width"), [*product(SHAPES, [0.25, 0.5]), ("resnet56", 1.0), ("resnet56", 2.0), ("resnet18", 1.0)]
)
@torch.inference_mode()
def test_the_rest_of_a_network_gives_the_same_bits_and_leaves_its_input_alone(
    config: MakeConfig, name: str, width: float
) -> None:
    network, inputs = built(config, name, width)
    logits = network(inputs)
    assert logits.shape == (2, SMALL[name][2] if name in SMALL else SHAPES[name][1])
    walked = dict(network.walk(inputs))
    fixed = FIXED.get(name, [0] * len(walked))
    units = [int(scaled * width) + more for scaled, more in zip(UNITS[name], fixed, strict=True)]
    assert [values.shape[1] for values in walked.values()] == units
    for layer, values in walked.items():
        before = values.clone()
        assert torch.equal(network.after(layer)(values), logits)
        assert torch.equal(values, before)
    layers = list(walked)
    for layer, following in pairwise(layers):
        assert torch.equal(network.between(layer, following)(walked[layer]), walked[following])


@pytest.mark.parametrize("name", SHAPES)
@torch.inference_mode()
def test_a_masked_suffix_is_what_a_hook_on_the_whole_network_gives(config: MakeConfig, name: str) -> None:
    network, inputs = built(config, name, 0.25)
    for layer, values in network.walk(inputs):
        mask = torch.zeros(values.shape[1], *(1 for _ in values.shape[2:]))
        mask[::2] = 1
        stage = getattr(network.stages, layer)
        handle = stage.register_forward_hook(lambda module, given, output, mask=mask: output * mask)
        hooked = network(inputs)
        handle.remove()
        assert torch.equal(network.after(layer)(values * mask), hooked)


@pytest.mark.parametrize("name", SHAPES)
def test_a_replicate_gives_the_same_weights_and_another_gives_others(config: MakeConfig, name: str) -> None:
    first, again, other = (built(config, name, 0.25, replicate=replicate)[0] for replicate in (0, 0, 1))
    for (_, one), (_, two), (_, three) in zip(first.maps(), again.maps(), other.maps(), strict=True):
        assert torch.equal(one.weight, two.weight)
        assert not torch.equal(one.weight, three.weight)


@pytest.mark.parametrize("name", SHAPES)
def test_the_training_loss_of_every_network_reaches_every_parameter(config: MakeConfig, name: str) -> None:
    network, inputs = built(config, name, 0.25)
    logits, loss = network.train().loss(inputs, torch.tensor([0, 1]))
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1])))
    loss.backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in network.parameters())


@pytest.mark.parametrize("name", SHAPES)
def test_training_gives_the_bits_of_the_stages_in_their_order(config: MakeConfig, name: str) -> None:
    network, inputs = built(config, name, 0.25)
    network.eval()
    labels = torch.tensor([0, 1])
    found = []
    for logits in (network.loss(inputs, labels)[0], network(inputs)):
        network.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(logits, labels).backward()
        found.append([logits, *(parameter.grad for parameter in network.parameters() if parameter.grad is not None)])
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))


def test_max_pooling_changes_places_with_the_relu_before_it() -> None:
    stages = nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), nn.MaxPool2d(2), nn.MaxPool2d(2), nn.Flatten())
    kinds = [type(module) for module in pool_first(stages)]
    assert kinds == [nn.Conv2d, nn.MaxPool2d, nn.MaxPool2d, nn.ReLU, nn.Flatten]


@pytest.mark.parametrize("hooked", ["stage", "relu", "pool"])
def test_training_runs_the_hooks_of_its_modules(hooked: str) -> None:
    relu, pool = nn.ReLU(), nn.MaxPool2d(2)
    stage = nn.Sequential(nn.Conv2d(3, 4, 3), relu)
    made: dict[str, nn.Module] = {"stage": stage, "relu": relu, "pool": pool}
    made[hooked].register_forward_hook(lambda module, given, output: output - torch.arange(output.shape[-1]))
    stages = [("hidden", stage), ("pool", pool), ("flatten", nn.Flatten()), ("output", nn.Linear(36, 4))]
    network = Network(stages, measured=["hidden"])
    inputs = torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    logits, _ = network.loss(inputs, torch.zeros(8, dtype=torch.long))
    assert torch.equal(logits, nn.Sequential(*(module for _, module in stages))(inputs))


class Noisy(Network):
    """Would add noise while training, if training called it."""

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs + torch.randn_like(inputs) if self.training else inputs)


def with_noise(width: float, input_shape: tuple[int, ...], classes: int, dropout: float, *, by_hook: bool) -> Network:
    stages = [("hidden", nn.Linear(10, 8)), ("output", nn.Linear(8, classes))]
    network = Network(stages, ["hidden"]) if by_hook else Noisy(stages, ["hidden"])
    if by_hook:
        network.register_forward_pre_hook(lambda module, given: (given[0] + torch.randn_like(given[0]),))
    return network


@pytest.mark.parametrize("by_hook", [False, True])
def test_what_training_would_not_run_is_refused(config: MakeConfig, by_hook: bool) -> None:
    made = config(network=Choice(name=f"{__name__}:with_noise", options={"by_hook": by_hook}))
    with pytest.raises(ConfigError, match="a `forward` or a hook of its own, which training does not run"):
        build_network(made, (10,), 2)


def test_the_loss_of_an_auxiliary_classifier_is_added_with_its_weight() -> None:
    torch.manual_seed(0)
    beside = nn.Linear(4, 3)
    network = Network(
        [("first", nn.Linear(5, 4)), ("second", nn.Linear(4, 4)), ("output", nn.Linear(4, 3))],
        measured=["first", "second"],
        auxiliary=Auxiliary("first", beside, weight=0.4),
    )
    inputs, labels = torch.randn(6, 5), torch.arange(6) % 3
    logits, loss = network.loss(inputs, labels)
    assert torch.equal(logits, network(inputs))
    expected = [
        nn.functional.cross_entropy(values, labels) for values in (logits, beside(network.stages.first(inputs)))
    ]
    torch.testing.assert_close(loss, expected[0] + 0.4 * expected[1])
    assert [stage for stage, _ in network.maps()] == ["first", "second", "auxiliary", "output"]
    assert network.decayed == ("first", "second", "auxiliary", "output")


def test_an_auxiliary_classifier_of_no_stage_or_one_that_works_in_place_is_refused() -> None:
    def made(layer: str, classifier: nn.Module) -> Network:
        stages = [("a", nn.ReLU()), ("b", nn.Identity())]
        return Network(stages, measured=["a"], auxiliary=Auxiliary(layer, classifier, weight=1.0))

    with pytest.raises(ValueError, match="no stage is called 'c'"):
        made("c", nn.Identity())
    with pytest.raises(ValueError, match="stage 'auxiliary' works in place"):
        made("a", nn.ReLU(inplace=True))


def test_alexnet_starts_from_the_released_codes_biases_and_decays_two_layers(config: MakeConfig) -> None:
    network, _ = built(config, "alexnet", 0.25)
    biases = {name: bias.unique().tolist() for name, bias in network.named_parameters() if name.endswith("bias")}
    assert [values[0] for values in biases.values()] == pytest.approx([0.0, 0.1, 0.1, 0.1, 0.0])
    assert network.decayed == ("fc3", "fc4")


def test_alexnets_pooling_pads_bottom_and_right_as_tensorflows_same(config: MakeConfig) -> None:
    network, _ = built(config, "alexnet", 0.25)
    values = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert network.stages.pool1(values).flatten().tolist() == [10, 11, 14, 15]


@pytest.mark.parametrize("side", [28, 30, 31, 33, 34, 50, 65])
def test_alexnet_pools_images_of_any_side_as_tensorflow(config: MakeConfig, side: int) -> None:
    network = build_network(config(network=Choice(name="alexnet"), width=0.25), (3, side, 32), 10)
    assert network(torch.rand(1, 3, side, 32)).shape == (1, 10)
    values = torch.rand(1, 1, side, side)
    pooled = -(-side // 2)
    before = max(0, 2 * (pooled - 1) + 3 - side) // 2  # of TensorFlow's padding; the rest is after
    starts = [2 * number - before for number in range(pooled)]
    expected = [
        [float(values[0, 0, max(0, top) : top + 3, max(0, left) : left + 3].max()) for left in starts] for top in starts
    ]
    network = build_network(config(network=Choice(name="alexnet"), width=0.25), (3, side, side), 10)
    assert network.stages.pool1(values)[0, 0].tolist() == expected


def test_dropout_acts_in_training_only(config: MakeConfig) -> None:
    network, inputs = built(config, "alexnet", 0.25, dropout=0.5)
    assert torch.equal(network(inputs), network(inputs))
    network.train()
    torch.manual_seed(0)
    assert not torch.equal(network(inputs), network(inputs))


def test_a_width_that_leaves_no_unit_is_refused(config: MakeConfig) -> None:
    with pytest.raises(ConfigError, match="a width must leave a unit in every layer"):
        parameter_count(config(width=0.001), (10,), 2)


@pytest.mark.parametrize(
    ("stages", "measured", "message"),
    [
        ([("a", nn.ReLU(inplace=True)), ("b", nn.Identity())], ["a"], "works in place"),
        ([("a", nn.Sequential(nn.ReLU(inplace=True))), ("b", nn.Identity())], ["a"], "works in place"),
        ([("a", nn.ReLU()), ("b", nn.Identity())], ["c"], "no stage is called 'c'"),
        ([("a", nn.ReLU()), ("b", nn.Identity())], ["b"], "measured stages are hidden ones"),
        ([("a", nn.ReLU()), ("b", nn.ReLU()), ("c", nn.ReLU())], ["b", "a"], "in the order of the stages"),
        ([("a", nn.ReLU()), ("b", nn.Identity())], [], "measured stages are hidden ones"),
    ],
)
def test_a_network_that_could_not_be_measured_is_refused(
    stages: list[tuple[str, nn.Module]], measured: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Network(stages, measured)
