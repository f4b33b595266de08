"""Each initializer has the variance that its name promises."""

from collections.abc import Callable
from math import sqrt

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from autoreg.config.trial import Choice, TrialConfig
from autoreg.errors import ConfigError
from autoreg.networks import Network, build_network, networks, trainable_parameters
from autoreg.networks.initializers import TRUNCATED_STD, initialize, initializers
from autoreg.training import checkpoints

FAN_IN, FAN_OUT = 400, 300
VARIANCE = {"glorot": 2 / (FAN_IN + FAN_OUT), "he": 2 / FAN_IN, "lecun": 1 / FAN_IN}


def network() -> Network:
    return Network(
        [("hidden", nn.Sequential(nn.Linear(FAN_IN, FAN_OUT), nn.ReLU())), ("output", nn.Linear(FAN_OUT, 500))],
        measured=["hidden"],
    )


def test_every_initializer_is_tested_here() -> None:
    pairs = {f"{name}_{kind}" for name in VARIANCE for kind in ("normal", "uniform")}
    assert set(initializers) == pairs | {"normal", "resnet_v1"}


@pytest.mark.parametrize("name", VARIANCE)
@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_the_variance_is_the_named_one(name: str, kind: str) -> None:
    made = network()
    initialize(made, Choice(name=f"{name}_{kind}"), 0)
    weight = made.maps()[0][1].weight
    deviation = sqrt(VARIANCE[name])
    assert weight.mean().item() == pytest.approx(0, abs=deviation / 100)
    assert weight.std().item() == pytest.approx(deviation, rel=0.01)
    limit = sqrt(3) * deviation if kind == "uniform" else 2 * deviation / TRUNCATED_STD
    assert weight.abs().max().item() <= limit
    assert weight.abs().max().item() == pytest.approx(limit, rel=0.01)


def test_convolutions_count_their_field_in_the_fans() -> None:
    made = Network([("conv", nn.Conv2d(32, 64, 5)), ("output", nn.Flatten())], measured=["conv"])
    initialize(made, Choice(name="he_normal"), 0)
    assert made.maps()[0][1].weight.std().item() == pytest.approx(sqrt(2 / (32 * 25)), rel=0.02)


def test_the_inputs_of_a_transposed_convolution_stand_first() -> None:
    made = Network([("up", nn.ConvTranspose2d(32, 64, 5)), ("output", nn.Flatten())], measured=["up"])
    initialize(made, Choice(name="he_normal"), 0)
    assert made.maps()[0][1].weight.std().item() == pytest.approx(sqrt(2 / (32 * 25)), rel=0.02)


@pytest.mark.parametrize("groups", [4, 32])
def test_a_grouped_transposed_convolution_has_the_inputs_of_a_group(groups: int) -> None:
    made = Network([("up", nn.ConvTranspose2d(32, 64, 5, groups=groups)), ("output", nn.Flatten())], measured=["up"])
    initialize(made, Choice(name="he_normal"), 0)
    assert made.maps()[0][1].weight.std().item() == pytest.approx(sqrt(2 / (32 / groups * 25)), rel=0.03)


@pytest.mark.parametrize("layer", [nn.Conv1d(6, 6, 1, groups=6), nn.Linear(1, 6)])
def test_the_directions_of_a_weight_norm_decay_where_it_has_as_many_magnitudes(layer: nn.Module) -> None:
    normed = parametrizations.weight_norm(layer)
    made = Network([("hidden", normed), ("output", nn.Flatten())], measured=["hidden"])
    assert [id(parameter) for parameter in made.decayed_parameters()] == [id(normed.parametrizations.weight.original1)]


def test_frozen_weights_stay_as_they_were_built_and_do_not_count() -> None:
    made = network()
    hidden = made.stages.hidden[0].requires_grad_(False)
    before = hidden.weight.clone()
    initialize(made, Choice(name="he_normal"), 0)
    assert torch.equal(hidden.weight, before)
    assert trainable_parameters(made) == FAN_OUT * 500 + 500


def returned(weight: Tensor, is_output: bool, generator: torch.Generator) -> Tensor:
    return torch.zeros_like(weight)


def filled(weight: Tensor, is_output: bool, generator: torch.Generator) -> Tensor:
    return weight.data.fill_(0.5)


def test_an_initializer_that_returns_a_weight_in_place_of_filling_it_is_refused() -> None:
    network = Network([("hidden", nn.Linear(3, 4)), ("output", nn.Linear(4, 2))], measured=["hidden"])
    with pytest.raises(ConfigError, match=r"initializer '.*:returned' must fill the weight in place"):
        initialize(network, Choice(name=f"{__name__}:returned"), 0)
    initialize(network, Choice(name=f"{__name__}:filled"), 0)
    assert all((module.weight == 0.5).all() for _, module in network.maps())  # type: ignore[union-attr, operator]


def test_a_map_that_stands_twice_is_drawn_once_and_decays_by_either_name() -> None:
    tied = nn.Linear(FAN_IN, FAN_IN)
    stages = [("first", tied), ("relu", nn.ReLU()), ("second", nn.Linear(FAN_IN, FAN_IN)), ("output", tied)]
    made = Network(stages, measured=["relu"], decayed=["output"])
    initialize(made, Choice(name="normal", options={"sigma": 3.0}), 0)
    assert [stage for stage, _ in made.maps()] == ["second", "output"]
    assert tied.weight.std().item() == pytest.approx(3.0 * TRUNCATED_STD, rel=0.01)
    assert [id(parameter) for parameter in made.decayed_parameters()] == [id(tied.weight)]


def test_normal_has_the_sigma_at_the_output_and_a_tenth_of_it_before() -> None:
    made = network()
    initialize(made, Choice(name="normal", options={"sigma": 3.0}), 0)
    hidden, output = (module.weight for _, module in made.maps())
    assert output.std().item() == pytest.approx(3.0 * TRUNCATED_STD, rel=0.01)
    assert hidden.std().item() == pytest.approx(0.3 * TRUNCATED_STD, rel=0.01)
    assert output.abs().max().item() <= 6.0


def test_resnet_v1_is_glorot_uniform_at_the_output_and_lecun_normal_before() -> None:
    made, lecun, glorot = network(), network(), network()
    initialize(made, Choice(name="resnet_v1"), 0)
    initialize(lecun, Choice(name="lecun_normal"), 0)
    initialize(glorot, Choice(name="glorot_uniform"), 0)
    hidden, output = (module.weight for _, module in made.maps())
    assert torch.equal(hidden, lecun.maps()[0][1].weight)
    assert output.std().item() == pytest.approx(glorot.maps()[1][1].weight.std().item(), rel=0.01)
    assert output.abs().max().item() <= sqrt(6 / (FAN_OUT + 500))


def test_biases_stay_as_they_were_built() -> None:
    made = network()
    with torch.no_grad():
        made.stages.output.bias.fill_(0.5)
    initialize(made, Choice(name="he_normal"), 0)
    assert made.stages.output.bias.unique().tolist() == [0.5]


#: Of the packaged networks at width 1/4 with all their parameters and buffers, he_uniform, replicate 0.
GOLDEN = {
    "alexnet": "bf943eac4400a3a517415c01085c2465",
    "inception_v3": "50d88f046f325586aca4eece6cc50fa0",
    "inception_v3_layer": "dad3652c225df445d44d0d50e097c7b8",
    "mlp": "7bd381ac87d553f4e0dbaedb2609c245",
    "resnet18": "338c4451879cb8ce65760c0dc39285b9",
    "resnet56": "e7ad006a1af2e8a9d0dfbd0ccae3f123",
}


@pytest.mark.parametrize("name", list(networks))
def test_the_initial_weights_of_packaged_networks_are_golden(config: Callable[..., TrialConfig], name: str) -> None:
    shape = {"mlp": (10,), "alexnet": (3, 32, 32)}.get(name, (3, 75, 75))
    options = {"auxiliary": False} if name.startswith("inception") else {}
    made = build_network(config(network=Choice(name=name, options=options)), shape, 10)
    initialize(made, Choice(name="he_uniform"), 0)
    assert checkpoints.digest(dict(made.state_dict())) == GOLDEN[name]


def with_everything() -> Network:
    """Maps between modules whose parameters have two dimensions or more and are no weights of maps."""
    return Network(
        [
            ("conv", nn.Sequential(nn.Conv1d(3, 2, 1), nn.LayerNorm([2, 5]), nn.ReLU())),
            ("flatten", nn.Flatten()),
            ("normed", nn.Sequential(parametrizations.weight_norm(nn.Linear(10, 400)), nn.ReLU())),
            ("output", nn.Linear(400, 3)),
        ],
        measured=["conv", "normed"],
    )


def test_scales_shifts_and_magnitudes_are_no_weights() -> None:
    made = with_everything()
    initialize(made, Choice(name="he_normal"), 0)
    norm, normed = made.stages.conv[1], made.stages.normed[0]
    assert norm.weight.unique().tolist() == [1.0]
    assert norm.bias.unique().tolist() == [0.0]
    assert (normed.parametrizations.weight.original0 > 0).all()
    # What the layer multiplies by is what the initializer draws for a layer of its size.
    assert normed.weight.std().item() == pytest.approx(sqrt(2 / 10), rel=0.02)
    twin = Network(
        [
            ("conv", nn.Sequential(nn.Conv1d(3, 2, 1), nn.ReLU())), ("flatten", nn.Flatten()),
            ("normed", nn.Linear(10, 400)), ("output", nn.Linear(400, 3)),
        ],
        measured=["conv"],
    )  # fmt: skip
    initialize(twin, Choice(name="he_normal"), 0)
    for (_, ours), (_, theirs) in zip(made.maps(), twin.maps(), strict=True):
        torch.testing.assert_close(ours.weight, theirs.weight)


def test_only_weights_of_maps_decay() -> None:
    made = with_everything()
    decayed = {id(parameter) for parameter in made.decayed_parameters()}
    names = [name for name, parameter in made.named_parameters() if id(parameter) in decayed]
    assert names == [
        "stages.conv.0.weight", "stages.normed.0.parametrizations.weight.original1", "stages.output.weight",
    ]  # fmt: skip


class Symmetric(nn.Module):
    """A parametrization that cannot be turned back."""

    def forward(self, values: Tensor) -> Tensor:
        return values.triu() + values.triu(1).T


@pytest.mark.parametrize("kind", ["hook", "parametrization"])
def test_a_weight_that_cannot_be_set_is_refused(kind: str) -> None:
    hidden = nn.Linear(4, 4)
    if kind == "hook":
        nn.utils.spectral_norm(hidden)
    else:
        parametrize.register_parametrization(hidden, "weight", Symmetric())
    made = Network([("hidden", hidden), ("output", nn.Linear(4, 2))], measured=["hidden"])
    with pytest.raises(ConfigError, match=r"stage 'hidden': the weight of its .*Linear cannot be set; use torch"):
        initialize(made, Choice(name="he_normal"), 0)


def test_a_parametrization_makes_what_it_allows_of_the_drawn_weights() -> None:
    hidden = parametrizations.orthogonal(nn.Linear(10, 8))
    made = Network([("hidden", hidden), ("output", nn.Linear(8, 2))], measured=["hidden"])
    weights = []
    for replicate in (0, 0, 1):
        initialize(made, Choice(name="he_normal"), replicate)
        weights.append(hidden.weight.detach().clone())
    torch.testing.assert_close(weights[0] @ weights[0].T, torch.eye(8))
    torch.testing.assert_close(weights[0], weights[1])
    assert not torch.allclose(weights[0], weights[2])
