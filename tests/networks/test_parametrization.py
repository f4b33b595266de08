"""muP: initial deviations and rates are those of the authors' package, and a step changes each width as much."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import mup
import mup.init
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from autoreg.config.sweep_file import load_sweep
from autoreg.config.trial import Choice, TrialConfig, canonical_json
from autoreg.datasets import build_dataset
from autoreg.errors import ConfigError
from autoreg.networks import Network, unallocated_network
from autoreg.networks.initializers import TRUNCATED_STD, initialize
from autoreg.networks.network import weight_of
from autoreg.networks.scale import Scale
from autoreg.orchestrator.plan import make_plan
from autoreg.runs.folder import Runs
from autoreg.training.epoch import train_epoch
from autoreg.training.loop import train_trial
from autoreg.training.optimizers import build_optimizer, set_learning_rate
from autoreg.training.state import TrialState

MakeConfig = Callable[..., TrialConfig]
WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
SHAPES = {"mlp": ((10,), 2), "alexnet": ((3, 8, 8), 10)}
#: Of each initializer, what the package calls it, and the truncation that it does not know.
INITIALIZERS: dict[str, tuple[dict[str, Any], Callable[[Tensor], object], float]] = {
    "he_normal": ({}, lambda weight: mup.init.kaiming_normal_(weight, nonlinearity="relu"), TRUNCATED_STD),
    "lecun_normal": ({}, lambda weight: mup.init.kaiming_normal_(weight, nonlinearity="linear"), TRUNCATED_STD),
    "glorot_normal": ({}, mup.init.xavier_normal_, TRUNCATED_STD),
    "normal": ({"sigma": 0.01, "hidden_ratio": 1.0}, lambda weight: mup.init.normal_(weight, std=0.01), 1.0),
}


def theirs(made: TrialConfig) -> tuple[Network, float]:
    """Return a trial's network in the package's parametrization, and how much its readout has grown."""

    def at(width: float) -> Network:
        network = unallocated(made.model_copy(update={"width": width, "parametrization": "standard"}))
        output = network.stages.get_submodule("output")
        assert isinstance(output, nn.Linear)
        with torch.device("meta"):
            network.stages._modules["output"] = mup.MuReadout(output.in_features, output.out_features)
        return network

    network = mup.set_base_shapes(at(made.width).to_empty(device="cpu"), at(1.0), delta=at(2.0))
    return network, network.stages.get_submodule("output").width_mult()


def unallocated(made: TrialConfig) -> Network:
    return unallocated_network(made, *SHAPES[made.network.name])


def rates(network: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, tuple[float, float]]:
    """Return each parameter's rate and weight decay."""
    groups = {id(p): (group["lr"], group["weight_decay"]) for group in optimizer.param_groups for p in group["params"]}
    return {name: groups[id(parameter)] for name, parameter in network.named_parameters()}


@pytest.fixture
def constant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every initializer fill with its deviation."""
    monkeypatch.setattr(nn.init, "trunc_normal_", lambda weight, std, **_: weight.fill_(std))
    monkeypatch.setattr(mup.init, "_no_grad_normal_", lambda weight, mean, std: weight.data.fill_(std))
    monkeypatch.setattr(Tensor, "normal_", lambda weight, mean, std: weight.fill_(std))


@pytest.mark.usefixtures("constant")
@pytest.mark.parametrize("initializer", INITIALIZERS)
@pytest.mark.parametrize("name", SHAPES)
def test_initial_deviations_are_the_packages(config: MakeConfig, name: str, initializer: str) -> None:
    options, fill, truncation = INITIALIZERS[initializer]
    for width in WIDTHS:
        made = config(network=Choice(name=name), width=width, parametrization="mup")
        ours, (package, growth) = unallocated(made).to_empty(device="cpu"), theirs(made)
        initialize(ours, Choice(name=initializer, options=options), 0)
        for (_, module), (_, other) in zip(ours.maps(), package.maps(), strict=True):
            fill(weight_of(other))
            deviation = weight_of(other).detach() / (growth if isinstance(other, mup.MuReadout) else 1)
            torch.testing.assert_close(weight_of(module).detach(), deviation / truncation)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "rmsprop"])
@pytest.mark.parametrize("name", SHAPES)
def test_rates_are_the_packages(config: MakeConfig, name: str, optimizer: str) -> None:
    is_adaptive = optimizer in ("adam", "rmsprop")
    chosen: dict[str, Any] = {"network": Choice(name=name), "optimizer": Choice(name=optimizer)}
    for width in WIDTHS:
        decay = 0.0 if is_adaptive else 0.25
        made = config(**chosen, weight_decay=decay, width=width, parametrization="mup")
        ours, (network, growth) = unallocated(made), theirs(made)
        built = build_optimizer(made, ours)
        set_learning_rate(built, 0.5)
        package = (mup.MuAdam if is_adaptive else mup.MuSGD)(network.parameters(), lr=0.5)
        expected = {name: rate for name, (rate, _) in rates(network, package).items()}
        expected["stages.output.weight"] /= growth if is_adaptive else growth**2
        found = rates(ours, built)
        assert {name: rate for name, (rate, _) in found.items()} == pytest.approx(expected)
        decayed = {id(parameter) for parameter in ours.decayed_parameters()}
        shares = {name: 0.5 * decay * (id(parameter) in decayed) for name, parameter in ours.named_parameters()}
        assert {name: rate * coefficient for name, (rate, coefficient) in found.items()} == pytest.approx(shares)


@pytest.mark.parametrize(
    ("name", "shape"), [("resnet56", (3, 32, 32)), ("resnet18", (3, 64, 64)), ("inception_v3", (3, 299, 299))]
)
def test_inputs_hidden_layers_and_outputs_are_told_by_their_shapes(
    config: MakeConfig, name: str, shape: tuple[int, ...]
) -> None:
    network = unallocated_network(config(network=Choice(name=name), width=4.0, parametrization="mup"), shape, 10)
    names = {id(parameter): key for key, parameter in network.named_parameters()}
    weights = [names[id(weight_of(module))] for _, module in network.maps()]
    outputs = 2 if network.auxiliary else 1
    hidden = [Scale(4, 4, 0.5)] * (len(weights) - 1 - outputs)
    assert [network.scales[key] for key in weights] == [Scale(1, 4, 1), *hidden, *[Scale(4, 1, 0.25)] * outputs]
    biases = {key.removesuffix("weight") + "bias" for key in weights[-outputs:]}
    others = network.scales.keys() - set(weights)
    assert {key: network.scales[key] for key in others} == {
        key: Scale() if key in biases else Scale(1, 4, 1) for key in others
    }


def test_at_width_1_it_is_the_standard_one_to_the_bit(runs: Runs, config: MakeConfig) -> None:
    made = [config(width=1.0, epochs=2, parametrization=name) for name in ("standard", "mup")]
    folders = [runs.trial(one.trial_id) for one in made]
    results = [train_trial(one, folder) for one, folder in zip(made, folders, strict=True)]
    assert folders[0].path != folders[1].path
    assert results[0] is not None
    assert results[1] is not None
    assert results[0].logits == results[1].logits
    assert [epoch.train_loss for epoch in results[0].epochs] == [epoch.train_loss for epoch in results[1].epochs]


def test_the_standard_one_is_not_written_down(config: MakeConfig) -> None:
    assert "parametrization" not in canonical_json(config())
    assert config(parametrization="standard").trial_id == config().trial_id
    assert config(parametrization="mup").trial_id != config().trial_id


def test_factors_outlast_the_schedule(config: MakeConfig) -> None:
    schedule = Choice(name="exponential", options={"decay": 0.5})
    for parametrization, factors in (("standard", [1, 1]), ("mup", [4, 0.25, 4, 1])):
        made = config(width=4.0, schedule=schedule, parametrization=parametrization, learning_rate=0.01)
        dataset = build_dataset(made, None)
        state = TrialState.fresh(made, dataset)
        for _ in range(2):
            train_epoch(made, dataset, state)
        groups = state.optimizer.param_groups
        assert [group["lr"] for group in groups] == pytest.approx([0.005 * factor for factor in factors])
        assert state.epochs[-1].learning_rate == pytest.approx(0.005)


def transposed(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    return convolutional(nn.ConvTranspose1d(1, int(4 * width), 3), int(4 * width) * 12, classes)


def normed(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    return convolutional(parametrizations.weight_norm(nn.Conv1d(1, int(4 * width), 3)), int(4 * width) * 8, classes)


def spreading(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    return convolutional(nn.Conv1d(1, 4, int(2 * width) + 1, padding="same"), 40, classes)


def deeper(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    return convolutional(
        nn.Sequential(*[nn.Conv1d(1, 1, 3, padding="same") for _ in range(int(width * 2))]), 10, classes
    )


def convolutional(module: nn.Module, features: int, classes: int) -> Network:
    hidden = nn.Sequential(nn.Unflatten(1, (1, 10)), module, nn.ReLU())
    return Network(
        [("hidden", hidden), ("flatten", nn.Flatten()), ("output", nn.Linear(features, classes))], measured=["hidden"]
    )


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("transposed", r"mup: 'stages.hidden.1.weight' is transposed, and mup does not know its inputs; make it"),
        ("normed", r"mup: which sides of 'stages.hidden.1.parametrizations.weight.original0' are inputs and outputs"),
        ("spreading", r"mup: which sides of 'stages.hidden.1.weight' are inputs and outputs is not known; make it"),
        ("deeper", r"mup: the network has another parameter 'stages.hidden.1.2.weight' at width 1 or 2"),
    ],
)
@pytest.mark.parametrize("width", [0.5, 1.0, 2.0])
def test_a_parameter_whose_sides_are_not_known_is_named(
    config: MakeConfig, name: str, problem: str, width: float
) -> None:
    made = config(network=Choice(name=f"{__name__}:{name}"), width=width)
    unallocated_network(made, (10,), 2)
    if name == "deeper" and width < 2:
        return
    with pytest.raises(ConfigError, match=problem):
        unallocated_network(made.model_copy(update={"parametrization": "mup"}), (10,), 2)


SWEEP = """\
name: parametrized
network: mlp
dataset: {name: teacher, train_size: 200, validation_size: 100, test_size: 100}
grid: {width: [1/4, 4], parametrization: [standard, mup]}
replicates: 1
training: {learning_rate: 0.1, batch_size: 50, epochs: 1}
"""


def test_both_are_settings_of_a_sweep(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(SWEEP)
    loaded = load_sweep(path)
    assert loaded.sweep.size == 4
    groups = [group.template for group, _ in make_plan(loaded).groups]
    assert [(each.width, each.parametrization) for each in groups] == [
        (4.0, "standard"), (4.0, "mup"), (0.25, "standard"), (0.25, "mup"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("training.optimizer=tests.networks.test_parametrization:own", "needs an optimizer whose rates it knows"),
        (
            "training={learning_rate: 0.1, batch_size: 9, epochs: 1, optimizer: adam, weight_decay: 0.1}",
            "mup with adam needs a weight decay of 0, got 0.1",
        ),
        (
            "training.optimizer={name: rmsprop, epsilon: 1.0}",
            "mup with rmsprop needs an epsilon of at most 1e-06, got 1.0",
        ),
    ],
)
def test_an_optimizer_that_it_has_no_rates_for_is_refused_with_the_line(
    tmp_path: Path, override: str, problem: str
) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(SWEEP)
    with pytest.raises(ConfigError, match=rf"sweep.yaml:4: grid.parametrization: .*{problem}"):
        make_plan(load_sweep(path, [override]))


def own(parameters: Any, learning_rate: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=learning_rate)


def change(made: TrialConfig) -> float:
    """Return how much five steps change the hidden layer, mean over units and inputs."""
    [changed] = layer_changes(made).values()
    return changed


def layer_changes(made: TrialConfig) -> dict[str, float]:
    dataset = build_dataset(made, None)
    state = TrialState.fresh(made, dataset)
    inputs, _ = next(dataset.batches("test"))
    with torch.no_grad():
        before = dict(state.network.walk(inputs))
    for batch, labels in islice(dataset.batches("train", 40 if made.network.name == "mlp" else 32), 5):
        state.optimizer.zero_grad()
        state.network.loss(batch, labels)[1].backward()  # type: ignore[no-untyped-call]
        set_learning_rate(state.optimizer, made.learning_rate)
        state.optimizer.step()
    with torch.no_grad():
        after = dict(state.network.walk(inputs))
    return {layer: float((after[layer] - values).abs().mean()) for layer, values in before.items()}


def slope(values: list[float]) -> float:
    """Return the slope of log2 of some values over log2 of widths of which each is 4 times the one before."""
    return float(np.polyfit(range(0, 2 * len(values), 2), np.log2(values), 1)[0])


def test_a_step_changes_the_hidden_layer_as_much_at_every_width(config: MakeConfig) -> None:
    slopes = {
        name: np.mean([
            slope([
                change(config(width=width, replicate=seed, parametrization=name, optimizer=Choice(name="sgd")))
                for width in (1.0, 4.0, 16.0)
            ])
            for seed in range(5)
        ])
        for name in ("standard", "mup")
    }  # fmt: skip
    print(f"slope of the hidden layer's change: {slopes}")
    assert abs(slopes["mup"]) <= 0.1
    assert slopes["standard"] < -0.25


@pytest.mark.slow
def test_what_five_steps_change_in_each_layer_of_alexnet_is_printed(config: MakeConfig) -> None:
    """It proves nothing, since the first steps are small beside what the fully connected layers begin with."""
    data = Choice(name="noise", options={"shape": [3, 32, 32], "train_size": 160, "test_size": 32})
    chosen: dict[str, Any] = {"network": Choice(name="alexnet"), "dataset": data, "learning_rate": 1e-3}
    for name in ("standard", "mup"):
        changes = [
            layer_changes(config(**chosen, width=width, parametrization=name, batch_size=32))
            for width in (0.25, 0.5, 1.0, 2.0)
        ]
        slopes = {layer: np.polyfit(range(4), np.log2([each[layer] for each in changes]), 1)[0] for layer in changes[0]}
        print(name, {layer: round(float(value), 2) for layer, value in slopes.items()})
        assert np.isfinite(list(slopes.values())).all()
