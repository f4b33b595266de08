"""Richness: logits are (f − f₀) / γ wherever they count, and training is what NumPy does with them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import autoreg
from autoreg.config.sweep_file import load_sweep
from autoreg.config.trial import Choice, TrialConfig, canonical_json
from autoreg.datasets import Dataset, build_dataset
from autoreg.errors import ConfigError, DataError
from autoreg.metrics import metrics
from autoreg.networks import Network, build_network
from autoreg.networks.initializers import initialize
from autoreg.orchestrator.plan import make_plan
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.training import checkpoints
from autoreg.training.epoch import evaluate, train_epoch
from autoreg.training.initial import drawn_network
from autoreg.training.loop import load_network, train_trial
from autoreg.training.optimizers import build_optimizer
from autoreg.training.state import TrialState
from tests.helpers.image_trials import ALEXNET, folder_of

MakeConfig = Callable[..., TrialConfig]
Weights = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def trained(runs: Runs, made: TrialConfig) -> TrialFolder:
    folder = folder_of(runs, made)
    assert train_trial(made, folder) is not None
    return folder


def plain_pair(made: TrialConfig, folder: TrialFolder, dataset: Dataset) -> tuple[Network, Network]:
    """Return f, with a trial's weights, and f₀: networks that know nothing of richness."""
    pair = [build_network(made, dataset.input_shape, dataset.classes).eval() for _ in range(2)]
    pair[0].load_state_dict(checkpoints.load(folder.checkpoint_path)["network"])
    initialize(pair[1], made.initializer, made.replicate)
    return pair[0], pair[1]


@pytest.mark.parametrize("changes", [{}, {**ALEXNET, "epochs": 2, "weight_decay": 0.0}], ids=["mlp", "alexnet"])
def test_logits_losses_and_accuracies_are_those_of_the_difference(
    runs: Runs, config: MakeConfig, changes: dict[str, Any]
) -> None:
    made = config(**{**changes, "patience": None}, richness=0.5)
    folder = trained(runs, made)
    dataset, result = build_dataset(made, None), folder.read_result()
    network = load_network(made, folder, dataset)
    f, f0 = plain_pair(made, folder, dataset)
    for split in ("train", "validation", "test"):
        inputs, labels = next(dataset.batches(split, 1000))
        with torch.inference_mode():
            expected = (f(inputs) - f0(inputs)) / 0.5
            torch.testing.assert_close(network(inputs), expected, rtol=1e-4, atol=1e-5)
            loss, accuracy = evaluate(network, dataset, split)
        assert loss == pytest.approx(float(nn.functional.cross_entropy(expected, labels)), rel=1e-4)
        assert getattr(result, f"{split}_accuracy") == accuracy
        assert accuracy == pytest.approx(float((expected.argmax(1) == labels).float().mean()))
    assert result.epochs[-1].validation_loss == pytest.approx(evaluate(network, dataset, "validation")[0])


def test_training_drops_units_of_f_alone_and_shows_both_the_same_augmented_images(config: MakeConfig) -> None:
    made = config(**ALEXNET, richness=0.5)
    dataset = build_dataset(made, None)
    state = TrialState.fresh(made, dataset)
    f, f0 = drawn_network(made, dataset).train(), drawn_network(made, dataset).eval()
    [(inputs, labels), *_] = dataset.batches("train", 8, None, torch.Generator().manual_seed(1))
    torch.manual_seed(2)
    logits, loss = state.network.train().loss(inputs, labels)
    torch.manual_seed(2)
    expected = (f(inputs) - f0(inputs)) / 0.5
    assert expected.abs().max() > 0.1
    torch.testing.assert_close(logits, expected)
    torch.testing.assert_close(loss, nn.functional.cross_entropy(expected, labels))


def gradients(weights: Weights, initial: Weights, inputs: np.ndarray, labels: np.ndarray, gamma: float) -> Weights:
    """Return those of the mean cross-entropy of (f − f₀) / γ, f an MLP of one hidden layer of ReLUs."""
    (w, b, v, c), (w0, b0, v0, c0) = weights, initial
    hidden, before = np.maximum(inputs @ w.T + b, 0), np.maximum(inputs @ w0.T + b0, 0)
    logits = (hidden @ v.T + c - before @ v0.T - c0) / gamma
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    error = (shares - np.eye(len(c))[labels]) / len(labels) / gamma
    back = error @ v * (hidden > 0)
    return back.T @ inputs, back.sum(0), error.T @ hidden, error.sum(0)


@pytest.mark.parametrize("gamma", [0.1, 1.0, 4.0])
def test_training_is_that_of_a_program_in_numpy(config: MakeConfig, gamma: float) -> None:
    made = config(richness=gamma, optimizer=Choice(name="sgd"), shuffle=False, learning_rate=0.05)
    dataset = build_dataset(made, None)
    state = TrialState.fresh(made, dataset)
    weights: Any = tuple(parameter.detach().double().numpy().copy() for parameter in state.network.parameters())
    initial, rate = weights, 0.05 * (gamma**2 if gamma <= 1 else gamma)  # γ^(2/L) of two layers
    for _ in range(3):
        train_epoch(made, dataset, state)
        for inputs, labels in dataset.batches("train", 50):
            steps = gradients(weights, initial, inputs.double().numpy(), labels.numpy(), gamma)
            weights = tuple(weight - rate * step for weight, step in zip(weights, steps, strict=True))
    for parameter, weight in zip(state.network.parameters(), weights, strict=True):
        np.testing.assert_allclose(parameter.detach().numpy(), weight, atol=2e-4)
    assert np.abs(weights[0] - initial[0]).max() > 1e-3


class Less(nn.Module):
    """Takes the logits before training, which it has for all examples, from logits."""

    def __init__(self, before: Tensor, gamma: float) -> None:
        super().__init__()
        self.before, self.gamma = before, gamma

    def forward(self, logits: Tensor) -> Tensor:
        return (logits - self.before) / self.gamma


def test_ablation_drops_units_of_f_alone_and_similarity_is_that_of_f(runs: Runs, config: MakeConfig) -> None:
    made = config(richness=0.3, epochs=5)
    folder = trained(runs, made)
    dataset = replace(build_dataset(made, None), evaluation_batch=100)
    f, f0 = plain_pair(made, folder, dataset)
    inputs, _ = next(dataset.batches("test"))
    twin = Network([*f.stages._modules.items(), ("less", Less(f0(inputs).detach(), 0.3))], measured=["hidden"])  # type: ignore[list-item]
    network = load_network(made, folder, dataset)
    found = metrics["ablation"](network, dataset, "test", 0)
    assert found.equals(metrics["ablation"](twin.eval(), dataset, "test", 0))
    assert not found.equals(metrics["ablation"](f, dataset, "test", 0))
    assert metrics["similarity"](network, dataset, "test", 0).equals(metrics["similarity"](f, dataset, "test", 0))


@pytest.mark.parametrize(("gamma", "name", "factor"), [
    (0.1, "sgd", 0.01), (0.1, "momentum", 0.01), (0.1, "adam", 0.1), (0.1, "rmsprop", 0.1), (1.0, "sgd", 1.0),
    (32.0, "sgd", 32.0), (32.0, "momentum", 32.0), (32.0, "adam", 32.0**0.5), (32.0, "rmsprop", 32.0**0.5),
])  # fmt: skip
def test_the_rate_goes_with_it(config: MakeConfig, gamma: float, name: str, factor: float) -> None:
    made = config(richness=gamma, optimizer=Choice(name=name))
    groups = build_optimizer(made, build_network(made, (10,), 2)).param_groups
    assert [group["factor"] for group in groups] == pytest.approx([factor] * 2)
    if gamma > 1:
        alexnet = made.model_copy(update={"network": Choice(name="alexnet")})
        [group, *_] = build_optimizer(alexnet, build_network(alexnet, (3, 8, 8), 10)).param_groups
        assert group["factor"] == pytest.approx({"sgd": 4.0, "momentum": 4.0}.get(name, 2.0))
    wide = made.model_copy(update={"parametrization": "mup", "width": 4.0})
    [group, *_] = build_optimizer(wide, build_network(wide, (10,), 2)).param_groups
    assert group["factor"] == pytest.approx(factor * (1.0 if name in ("adam", "rmsprop") else 4.0))


@pytest.mark.parametrize(("name", "rate"), [("adam", 0.0025), ("rmsprop", 0.0025), ("sgd", 0.06)])
def test_at_one_rate_the_loss_falls_as_fast_at_every_richness(config: MakeConfig, name: str, rate: float) -> None:
    data = Choice(name="teacher", options={"train_size": 500, "validation_size": 10, "test_size": 10})
    losses = []
    for gamma in (0.03, 1.0, 30.0):
        made = config(width=1.0, richness=gamma, optimizer=Choice(name=name), learning_rate=rate, dataset=data)
        dataset = build_dataset(made, None)
        state = TrialState.fresh(made, dataset)
        losses.append([train_epoch(made, dataset, state).train_loss for _ in range(20)][-1])
    print(f"training loss at richness 0.03, 1 and 30 with {name}: {losses}")
    [lazy, plain, rich] = [loss or 0.0 for loss in losses]
    assert max(lazy, plain, rich) < 1.8 * min(lazy, plain, rich)


def test_without_it_a_trial_is_as_before_and_a_written_1_is_another(config: MakeConfig) -> None:
    assert "richness" not in canonical_json(config())
    assert config(richness=None).trial_id == config().trial_id
    assert config(richness=1.0).trial_id != config().trial_id
    made = config(richness=1.0)
    dataset = build_dataset(made, None)
    inputs, _ = next(dataset.batches("test"))
    network = TrialState.fresh(made, dataset).network
    assert network.eval()(inputs).abs().max() == 0
    assert set(network.state_dict()) == set(drawn_network(made, dataset).state_dict())


def test_an_interrupted_trial_ends_with_the_same_bits(runs: Runs, config: MakeConfig, tmp_path: Path) -> None:
    made = config(richness=0.2, parametrization="mup", epochs=4)
    whole = trained(runs, made)
    other = Runs(tmp_path / "other").trial(made.trial_id)
    stops = iter([False, True])
    assert train_trial(made, other, stop=lambda: next(stops)) is None
    result = train_trial(made, other)
    assert result is not None
    assert "continued after epoch 2" in result.environment["resumed"]
    assert result.logits == whole.read_result().logits


def test_a_loaded_trial_can_go_to_another_type_with_all_that_it_compares_with(runs: Runs, config: MakeConfig) -> None:
    made = config(richness=0.2)
    trained(runs, made)
    trial = autoreg.load_trial(made.trial_id, runs=runs.root)
    inputs, _ = next(trial.dataset.batches("test"))
    expected = trial.network(inputs)
    torch.testing.assert_close(trial.network.double()(inputs.double()).float(), expected, rtol=1e-3, atol=1e-4)


def movement(config: MakeConfig, width: float, parametrization: str) -> float:
    """Return that of the hidden layer in five epochs at richness 0.03, mean over three seeds."""
    found = []
    for seed in range(3):
        made = config(
            width=width, parametrization=parametrization, richness=0.03, learning_rate=0.03, epochs=5, replicate=seed
        )
        dataset = build_dataset(made, None)
        state = TrialState.fresh(made, dataset)
        while not state.is_finished(made):
            train_epoch(made, dataset, state)
        found.append(metrics["movement"](state.network.eval(), dataset, "test", 0)["movement"].list.first()[0])
    return float(np.mean(found))


def test_a_lazy_network_moves_as_far_at_every_width_in_mup(config: MakeConfig) -> None:
    found = {width: movement(config, width, "mup") for width in (0.25, 0.5, 1.0, 2.0, 4.0)}
    print(f"movement at richness 0.03 by width: {found}")
    narrowest, *others = found.values()
    assert max(others) <= 1.25 * min(others)
    assert 1.25 * min(others) < narrowest <= 1.5 * min(others)  # a kernel of 32 units is not yet that of many
    assert movement(config, 0.5, "standard") > 3 * movement(config, 4.0, "standard")


def test_compression_takes_units_of_f_out_and_compares_labels_of_the_difference(runs: Runs, config: MakeConfig) -> None:
    made = config(richness=0.3, epochs=5)
    folder = trained(runs, made)
    dataset = build_dataset(made, None)
    f, f0 = plain_pair(made, folder, dataset)
    network = load_network(made, folder, dataset)
    dict(network.walk(dataset.test.inputs))  # type: ignore[union-attr]  # as by another metric before
    options: dict[str, Any] = {"surgeries": ["drop"], "levels": 2}
    rows, of_f = (metrics["compression"](each, dataset, "test", 0, **options) for each in (network, f))
    inputs, labels = next(dataset.batches("test", 100))
    order = rows.filter(rows["taken"].is_not_null())["taken"][0]
    assert order.equals(of_f.filter(of_f["taken"].is_not_null())["taken"][0])
    expected = (f(inputs) - f0(inputs)).argmax(1)
    found = rows.filter(rows["rule"].is_not_null()).select("kept", "unchanged", "accuracy").rows()
    hidden, output = (f.stages.get_submodule(name) for name in ("hidden", "output"))
    activations = hidden(inputs)
    for [kept], unchanged, accuracy in found:
        masked = activations.clone()
        masked[:, order[: 32 - kept].to_list()] = 0.0
        predicted = (output(masked) - f0(inputs)).argmax(1)
        assert unchanged == pytest.approx(float((predicted == expected).float().mean()))
        assert accuracy == pytest.approx(float((predicted == labels).float().mean()))
    assert len({unchanged for _, unchanged, _ in found}) > 2


def test_a_state_that_began_with_other_weights_is_not_gone_on_with(
    runs: Runs, config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = config(richness=0.2, epochs=4)
    folder = folder_of(runs, made)
    stops = iter([False, True])
    assert train_trial(made, folder, stop=lambda: next(stops)) is None
    monkeypatch.setattr(f"{initialize.__module__}.derive_seed", lambda *_: 7)
    other = TrialState.fresh(made, build_dataset(made, None))
    with pytest.raises(DataError, match=r"resume.pt is of other initial weights than are drawn now"):
        other.load(folder.resume_path, made.trial_id, build_dataset(made, None).fingerprints)
    result = train_trial(made, folder)
    assert result is not None
    assert result.environment["resumed"].endswith("which richness subtracts; trained from the start")


SWEEP = """\
name: rich
network: mlp
dataset: {name: teacher, train_size: 200, validation_size: 100, test_size: 100}
grid: {width: [1], richness: [null, 1/10, 1]}
replicates: 1
training: {learning_rate: 0.1, batch_size: 50, epochs: 1}
"""


def sweep(folder: Path, *overrides: str) -> list[float | None]:
    path = folder / "sweep.yaml"
    path.write_text(SWEEP)
    return [group.template.richness for group, _ in make_plan(load_sweep(path, list(overrides))).groups]


def test_it_is_an_axis(tmp_path: Path) -> None:
    assert sweep(tmp_path) == [None, 0.1, 1.0]


def own(parameters: Any, learning_rate: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=learning_rate)


class Doubled(Network):
    def loss(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        logits, loss = super().loss(inputs, labels)
        return logits, 2 * loss


def of_kind(kind: type[Network], *hidden: nn.Module) -> Network:
    stages = [("hidden", nn.Sequential(nn.Linear(10, 8), *hidden, nn.ReLU())), ("output", nn.Linear(8, 2))]
    return kind(stages, measured=["hidden"])


def doubled(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    return of_kind(Doubled)


def batch_normed(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    return of_kind(Network, nn.BatchNorm1d(8))


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("grid.richness=[0]", "should be greater than 0"),
        ("grid.richness=[-1]", "should be greater than 0"),
        (f"network={__name__}:batch_normed", "richness does not go with batch normalization"),
        (f"network={__name__}:doubled", "richness does not go with a `forward` or `loss` of the network's own"),
        ("training.weight_average=0.9", "richness does not go with weight averages"),
        ("training.precision=bfloat16", "richness does not go with bfloat16"),
        (f"training.optimizer={__name__}:own", "richness needs an optimizer whose rates it knows, sgd, momentum"),
        ("training.optimizer={name: rmsprop, epsilon: 1.0}", "richness with rmsprop needs an epsilon of at most 1e-06"),
    ],
)
def test_what_does_not_go_with_it_is_said_before_anything_trains(tmp_path: Path, override: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as error:
        sweep(tmp_path, override)
    assert "\n" not in str(error.value)
