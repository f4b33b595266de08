"""A small network to use: how far it is cut, what is said of it, and who judges."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import autoreg
from autoreg.config.trial import TrialConfig
from autoreg.errors import AutoregError, ConfigError, DataError
from autoreg.runs.folder import Runs
from autoreg.seeds import derive_seed
from autoreg.surgery.bound import least_hits, lower_bound
from autoreg.surgery.compress import compress_trial
from autoreg.training.loop import train_trial

INPUTS = torch.randn(1500, 6, generator=torch.Generator().manual_seed(1))


def perceptron(activation: type[nn.Module] = nn.ReLU, units: int = 24) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, units), activation(), nn.Linear(units, 3)).eval()


def planted() -> nn.Sequential:
    """Of 24 units, 8 are needed, 6 are copies of them, 6 always 0, and 4 are like some of them but read by nobody."""
    model = perceptron()
    with torch.no_grad():
        model[0].weight[8:14], model[0].bias[8:14] = 2 * model[0].weight[:6], 2 * model[0].bias[:6]
        model[0].weight[14:20], model[0].bias[14:20] = 0, -1
        model[0].weight[20:], model[0].bias[20:] = model[0].weight[4:8] + 0.05, model[0].bias[4:8]
        model[2].weight[:, 20:] = 0
    return model


@pytest.mark.parametrize(("hits", "examples"), [(297, 300), (1, 5), (5, 5), (9870, 10_000)])
def test_with_the_bound_as_the_true_share_so_many_hits_or_more_have_a_chance_of_5_percent(
    hits: int, examples: int
) -> None:
    share = lower_bound(hits, examples)
    terms = (
        math.lgamma(examples + 1) - math.lgamma(k + 1) - math.lgamma(examples - k + 1)
        + k * math.log(share) + (examples - k) * math.log1p(-share)
        for k in range(hits, examples + 1)
    )  # fmt: skip
    assert sum(map(math.exp, terms)) == pytest.approx(0.05)


def test_the_least_hits_are_those_whose_bound_reaches_the_share() -> None:
    assert [least_hits(0.99, 299), least_hits(1, 7), lower_bound(0, 9)] == [299, 7, 0]
    hits = least_hits(0.95, 1000)
    assert lower_bound(hits, 1000) >= 0.95 > lower_bound(hits - 1, 1000)
    with pytest.raises(ConfigError, match=r"unchanged=0\.99 takes at least 299 examples to choose a level by, got 298"):
        least_hits(0.99, 298)


@pytest.mark.parametrize(
    ("surgery", "nothing", "taken"),
    [
        ("drop", 14, lambda gone: {"dead": 6, "dropped": gone - 6, "merged": 0, "rebuilt": 0}),
        ("merge", 8, lambda gone: {"dead": 6, "dropped": 4, "merged": gone - 10, "rebuilt": 0}),
        ("rebuild", 8, lambda gone: {"dead": 6, "dropped": 4, "merged": 0, "rebuilt": gone - 10}),
    ],
)
def test_what_goes_for_nothing_goes_and_is_named(
    surgery: str, nothing: int, taken: Callable[[int], dict[str, int]]
) -> None:
    small = autoreg.compress(planted().double(), INPUTS.double(), unchanged=1.0, surgery=surgery)
    assert small.curve.filter(error=1e-9).select("units", "unchanged").rows() == [(nothing, 1.0)]
    [row] = small.layers.to_dicts()
    assert row["after"] == small.model[0].out_features == small.model[2].in_features <= nothing
    expected = taken(24 - row["after"])
    assert {name: row[name] for name in expected} == expected
    assert small.parameters == (24 * 10 + 3, row["after"] * 10 + 3)
    assert small.flops == (24 * 18, row["after"] * 18)


def test_the_level_is_the_narrowest_whose_bound_reaches_what_is_asked() -> None:
    model = perceptron(units=64)
    before = {name: values.clone() for name, values in model.state_dict().items()}
    small = autoreg.compress(model, INPUTS, unchanged=0.95)
    reached = [
        row["units"] for row in small.curve.to_dicts() if lower_bound(round(row["unchanged"] * 500), 500) >= 0.95
    ]
    assert small.layers["after"].to_list() == [min(reached)]
    assert min(reached) < 64
    assert len(reached) < small.curve.height, "all levels would do, which tests nothing"
    assert small.accuracy is None
    assert small.compressed_width is None
    assert small.examples == 500
    assert repr(small).startswith(f"<Sequential of {min(reached)} of 64 units (rebuild): ")
    assert all(torch.equal(values, before[name]) for name, values in model.state_dict().items())


def test_a_trial_is_judged_on_its_test_split(runs: Runs, config: Callable[..., TrialConfig]) -> None:
    sizes = {"train_size": 300, "validation_size": 300, "test_size": 200}
    chosen = config(epochs=3)
    chosen = chosen.model_copy(update={"dataset": chosen.dataset.model_copy(update={"options": sizes})})
    folder = runs.trial(chosen.trial_id)
    train_trial(chosen, folder)
    trial = autoreg.load_trial(chosen.trial_id, runs=runs.root)
    small = autoreg.compress(trial)
    [(inputs, labels)] = trial.dataset.batches("test", 200)
    before, after = trial.network(inputs).argmax(1), small.model(inputs).argmax(1)
    assert (small.hits, small.examples) == (int((before == after).sum()), 200)
    shares = [float((found == labels).double().mean()) for found in (before, after)]
    assert small.accuracy == pytest.approx(shares)
    assert shares[0] == pytest.approx(trial.result.test_accuracy)
    row = small.layers.row(0, named=True)
    assert small.compressed_width == pytest.approx(chosen.width * row["after"] / row["before"])
    assert small.provenance["trial_id"] == chosen.trial_id
    with pytest.raises(ConfigError, match="a trial is compressed on its own data"):
        autoreg.compress(trial, inputs)


def test_a_trial_with_a_richness_is_refused(runs: Runs, config: Callable[..., TrialConfig]) -> None:
    rich = config(richness=2.0)
    folder = runs.trial(rich.trial_id)
    train_trial(rich, folder)
    with pytest.raises(ConfigError, match="with a richness, logits are less f₀"):
        compress_trial(folder, unchanged=0.9, surgery="drop")


def test_a_small_model_can_be_trained_further() -> None:
    small = autoreg.compress(perceptron(), INPUTS)
    small.model(INPUTS).sum().backward()
    assert all(parameter.grad is not None for parameter in small.model.parameters())


class Branching(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs if inputs.sum() > 0 else -inputs


def with_nan() -> nn.Module:
    model = perceptron()
    with torch.no_grad():
        model[0].weight[3, 2] = math.nan
    return model


@pytest.mark.parametrize(
    ("model", "asked", "words"),
    [
        (Branching().eval(), {}, "Branching cannot be traced by torch.fx (TraceError"),
        (nn.Sequential(nn.Linear(6, 3)).eval(), {}, "Sequential has no layer of which units may be taken out (it has"),
        (
            nn.Sequential(nn.Linear(6, 8), nn.Softmax(1), nn.Linear(8, 3)).eval(), {},
            "Sequential has no layer of which units may be taken out (0: Softmax is not known to act on each unit",
        ),
        (perceptron(), {"inputs": INPUTS[:, :5]}, "Sequential cannot be run on the inputs, (2, 5): RuntimeError"),
        (perceptron(), {"inputs": INPUTS[:20]}, "unchanged=0.99 takes at least 299 examples to choose a level by, got"),
        (perceptron(), {"unchanged": 0}, "unchanged is a share of the labels in (0, 1], got 0"),
        (perceptron(), {"unchanged": 1.01}, "unchanged is a share of the labels in (0, 1], got 1.01"),
        (perceptron(), {"unchanged": math.nan}, "unchanged is a share of the labels in (0, 1], got nan"),
        (perceptron(), {"surgery": "rebild"}, "unknown surgery 'rebild'; did you mean 'rebuild'? (allowed: drop, "),
        (perceptron(), {"labels": torch.arange(1500)}, "labels are 0 to 2, one for each logit, got 0 to 1499"),
        (perceptron().train(), {}, "Sequential is in training mode; units are taken out of a model after eval()"),
        (with_nan(), {}, "Sequential gives logits that are not finite"),
        (perceptron()[:1].append(nn.Linear(24, 1)).eval(), {}, "a model must give a logit for each class, got one"),
    ],
)  # fmt: skip
def test_what_cannot_be_compressed_is_said_in_one_line(model: nn.Module, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(AutoregError) as raised:
        autoreg.compress(model, **{"inputs": INPUTS, **asked})
    assert str(raised.value).startswith(words)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_infinite_input_is_found_in_whichever_third_it_is(place: int) -> None:
    order = torch.randperm(1500, generator=torch.Generator().manual_seed(derive_seed(0, "thirds")))
    inputs = INPUTS.clone()
    inputs[order[500 * place + 7]] = math.inf
    with pytest.raises(DataError, match="must be finite numbers, got NaN or ±inf"):
        autoreg.compress(perceptron(), inputs)
