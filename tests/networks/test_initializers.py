"""Each initializer has the variance that its name promises."""

from math import sqrt

import pytest
import torch
from torch import nn

from autoreg.config.trial import Choice
from autoreg.networks import Network
from autoreg.networks.initializers import TRUNCATED_STD, initialize, initializers

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
    weight = made.weights()[0][1]
    deviation = sqrt(VARIANCE[name])
    assert weight.mean().item() == pytest.approx(0, abs=deviation / 100)
    assert weight.std().item() == pytest.approx(deviation, rel=0.01)
    limit = sqrt(3) * deviation if kind == "uniform" else 2 * deviation / TRUNCATED_STD
    assert weight.abs().max().item() <= limit
    assert weight.abs().max().item() == pytest.approx(limit, rel=0.01)


def test_convolutions_count_their_field_in_the_fans() -> None:
    made = Network([("conv", nn.Conv2d(32, 64, 5)), ("output", nn.Flatten())], measured=["conv"])
    initialize(made, Choice(name="he_normal"), 0)
    assert made.weights()[0][1].std().item() == pytest.approx(sqrt(2 / (32 * 25)), rel=0.02)


def test_normal_has_the_sigma_at_the_output_and_a_tenth_of_it_before() -> None:
    made = network()
    initialize(made, Choice(name="normal", options={"sigma": 3.0}), 0)
    hidden, output = (weight for _, weight in made.weights())
    assert output.std().item() == pytest.approx(3.0 * TRUNCATED_STD, rel=0.01)
    assert hidden.std().item() == pytest.approx(0.3 * TRUNCATED_STD, rel=0.01)
    assert output.abs().max().item() <= 6.0


def test_resnet_v1_is_glorot_uniform_at_the_output_and_lecun_normal_before() -> None:
    made, lecun, glorot = network(), network(), network()
    initialize(made, Choice(name="resnet_v1"), 0)
    initialize(lecun, Choice(name="lecun_normal"), 0)
    initialize(glorot, Choice(name="glorot_uniform"), 0)
    hidden, output = (weight for _, weight in made.weights())
    assert torch.equal(hidden, lecun.weights()[0][1])
    assert output.std().item() == pytest.approx(glorot.weights()[1][1].std().item(), rel=0.01)
    assert output.abs().max().item() <= sqrt(6 / (FAN_OUT + 500))


def test_biases_stay_as_they_were_built() -> None:
    made = network()
    with torch.no_grad():
        made.stages.output.bias.fill_(0.5)
    initialize(made, Choice(name="he_normal"), 0)
    assert made.stages.output.bias.unique().tolist() == [0.5]
