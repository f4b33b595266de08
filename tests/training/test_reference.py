"""What is measured is the network that was trained, or nothing is."""

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
import torch
from torch import Tensor, nn

import autoreg
from autoreg.config.trial import Choice, TrialConfig
from autoreg.datasets import build_dataset
from autoreg.errors import ConfigError, DataError
from autoreg.metrics.measure import measure_trial, measurements_of
from autoreg.networks import Network
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.training.epoch import evaluate
from autoreg.training.loop import load_network, train_trial
from autoreg.training.reference import check_network, reference_logits
from tests.helpers.image_trials import folder_of

MakeConfig = Callable[..., TrialConfig]
Stages = list[tuple[str, nn.Module]]


class Scaled(Network):
    """Computes something else than its stages one after another."""

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs * 2)

    def loss(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        logits = self(inputs)
        return logits, nn.functional.cross_entropy(logits, labels)


class Forgetful(nn.Module):
    """Learns something that its state_dict has not."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = torch.zeros(10)

    def forward(self, inputs: Tensor) -> Tensor:
        if self.training:
            self.mean = inputs.mean(0) + 5
        return inputs - self.mean


class Projection(nn.Module):
    """Draws what it multiplies by, and does not save it."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.randn(10, 10), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs @ self.matrix


def stages(*before: nn.Module) -> Stages:
    hidden = nn.Sequential(nn.Linear(10, 8), nn.ReLU())
    named: Stages = [(f"before{index}", module) for index, module in enumerate(before)]
    return [*named, ("hidden", hidden), ("output", nn.Linear(8, 2))]


def scaled(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    return Scaled(stages(), measured=["hidden"])


def forgetful(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    return Network(stages(Forgetful()), measured=["hidden"])


def projecting(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    return Network(stages(Projection()), measured=["hidden"])


def pooled(share: bool) -> Network:
    """Two hidden layers, each with a ReLU and a pooling that keeps the size, of their own or shared."""

    def pair() -> tuple[nn.Module, nn.Module]:
        return nn.ReLU(), nn.Sequential(nn.Unflatten(1, (1, 10)), nn.MaxPool1d(3, 1, 1), nn.Flatten())

    (relu, pool), (other_relu, other_pool) = pair(), pair()
    if share:
        other_relu, other_pool = relu, pool
    named: Stages = [
        ("first", nn.Linear(10, 10)), ("a1", relu), ("pool1", pool),
        ("second", nn.Linear(10, 10)), ("a2", other_relu), ("pool2", other_pool), ("output", nn.Linear(10, 2)),
    ]  # fmt: skip
    return Network(named, measured=["a1", "a2"])


def shared(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    return pooled(share=True)


def separate(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    return pooled(share=False)


def trained(runs: Runs, config: MakeConfig, name: str, **changes: Any) -> TrialFolder:
    made = config(network=Choice(name=f"{__name__}:{name}"), **changes)
    folder = folder_of(runs, made)
    assert train_trial(made, folder) is not None
    return folder


def rows(folder: TrialFolder, metric: str) -> pl.DataFrame:
    [wanted] = measurements_of(metric, {}, ["test"])
    measure_trial(folder, [wanted])
    return pl.read_parquet(wanted.path(folder))


def forget_logits(folder: TrialFolder) -> None:
    """Make a trial's result one of a version that kept no logits."""
    folder.write_result(folder.read_result().model_copy(update={"logits": []}))


@pytest.mark.parametrize("metric", ["ablation", "similarity"])
def test_modules_that_stand_in_two_stages_are_measured_as_their_twins_with_modules_of_their_own(
    runs: Runs, config: MakeConfig, metric: str
) -> None:
    once, twice = (rows(trained(runs, config, name, epochs=20), metric) for name in ("shared", "separate"))
    assert once["layer"].unique().drop_nulls().sort().to_list() == ["a1", "a2"]
    assert once.equals(twice)


def test_a_network_that_is_not_its_stages_is_refused_before_it_is_trained(runs: Runs, config: MakeConfig) -> None:
    epochs: list[object] = []
    made = config(network=Choice(name=f"{__name__}:scaled"))
    with pytest.raises(ConfigError, match="the network's stages, one after another, do not compute what it does: by"):
        train_trial(made, folder_of(runs, made), on_epoch=epochs.append)
    assert epochs == []


class Remembers(nn.Module):
    """Keeps its activations for a later stage, which adds them past what lies between."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(10, 8)

    def forward(self, inputs: Tensor) -> Tensor:
        self.kept = self.linear(inputs).relu()
        return self.kept


class Adds(nn.Module):
    def __init__(self, earlier: Remembers) -> None:
        super().__init__()
        self.earlier = [earlier]

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + self.earlier[0].kept


class Centres(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs - inputs.mean(0)


def remembering(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    first = Remembers()
    named: Stages = [
        ("first", first), ("second", nn.Linear(8, 8)), ("sum", Adds(first)), ("output", nn.Linear(8, classes)),
    ]  # fmt: skip
    return Network(named, measured=["first", "sum"])


def centring(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    return Network(stages(Centres()), measured=["hidden"])


@pytest.mark.parametrize(
    ("name", "words"), [("remembering", "by layer 'first'"), ("centring", "without other examples beside it")]
)
def test_a_network_whose_stages_see_more_than_what_they_are_given_is_refused(
    runs: Runs, config: MakeConfig, name: str, words: str
) -> None:
    network = remembering(1, (10,), 2, 0) if name == "remembering" else centring(1, (10,), 2, 0)
    made = config(network=Choice(name=f"{__name__}:{name}"))
    with pytest.raises(ConfigError, match=f"do not compute what it does: {words}, a logit is off by"):
        train_trial(made, folder_of(runs, made))
    with pytest.raises(ConfigError, match="logits"):
        autoreg.measure_model(network, torch.randn(20, 10))


class Reversed(nn.Module):
    """Registers its maps in another order than it runs them."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.last, self.first = nn.Linear(6, classes), nn.Linear(8, 6)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.last(self.first(inputs))


def reversed_maps(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    return Network([("hidden", nn.Linear(10, 8)), ("output", Reversed(classes))], measured=["hidden"])


def test_an_output_layer_that_is_not_registered_last_is_refused(runs: Runs, config: MakeConfig) -> None:
    made = config(network=Choice(name=f"{__name__}:reversed_maps"))
    with pytest.raises(ConfigError, match=r"stage 'output': the map that is registered last, .* must run last"):
        train_trial(made, folder_of(runs, made))


def test_a_network_whose_training_runs_something_else_is_refused(
    runs: Runs, config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoreg.networks.network.pool_first", lambda stages: [nn.Dropout(0.5), nn.ReLU(), *stages])
    with pytest.raises(ConfigError, match="do not compute what it does: while training, a logit is off by"):
        train_trial(config(), folder_of(runs, config()))


@pytest.mark.parametrize("is_older", [False, True])
def test_a_network_that_is_not_the_trained_one_has_no_rows_and_is_not_loaded(
    runs: Runs, config: MakeConfig, is_older: bool
) -> None:
    folder = trained(runs, config, "forgetful", epochs=20)
    if is_older:
        forget_logits(folder)
    words = "its test accuracy was" if is_older else "a logit is off by"
    with pytest.raises(DataError, match=f"the network is not the one that was trained: .*{words}") as raised:
        rows(folder, "ablation")
    assert "\n" not in str(raised.value)
    assert folder.measurement_paths() == []
    with pytest.raises(DataError, match="not the one that was trained"):
        autoreg.load_trial(folder.trial_id, runs=runs.root)


def test_what_a_network_draws_and_does_not_save_is_drawn_again(runs: Runs, config: MakeConfig) -> None:
    folder = trained(runs, config, "projecting")
    state = torch.get_rng_state()
    made, dataset, result = folder.read_config(), build_dataset(folder.read_config(), None), folder.read_result()
    network = load_network(made, folder, dataset)
    assert evaluate(network, dataset, "test")[1] == result.test_accuracy
    assert torch.equal(torch.get_rng_state(), state)


def test_the_logits_are_those_of_the_first_eight_test_examples_and_may_round_otherwise(
    runs: Runs, config: MakeConfig
) -> None:
    made = config(precision="bfloat16")
    folder = folder_of(runs, made)
    result = train_trial(made, folder)
    assert result is not None
    dataset = build_dataset(made, None)
    network = load_network(made, folder, dataset)
    with torch.inference_mode():
        logits = network(dataset.test.inputs[:8])
    torch.testing.assert_close(torch.tensor(folder.read_result().logits), logits, rtol=1e-5, atol=1e-5)
    largest = float(logits.abs().max())
    for share, is_same in ((0.5e-3, True), (2e-3, False)):
        moved = [[result.logits[0][0] + share * largest, *result.logits[0][1:]], *result.logits[1:]]
        other = result.model_copy(update={"logits": moved})
        if is_same:
            check_network(network, dataset, other)
        else:
            with pytest.raises(DataError, match="by layer 'hidden', a logit is off by"):
                check_network(network, dataset, other)


def test_an_older_result_is_known_by_its_accuracy_up_to_half_a_point_or_one_example(
    runs: Runs, config: MakeConfig
) -> None:
    folder = folder_of(runs, config())
    result = train_trial(config(), folder)
    assert result is not None
    assert result.test_accuracy is not None
    dataset = build_dataset(config(), None)
    network = load_network(config(), folder, dataset)
    for examples, is_same in ((1, True), (2, False)):  # of 100
        accuracy = result.test_accuracy - examples / 100
        other = result.model_copy(update={"logits": [], "test_accuracy": accuracy})
        if is_same:
            check_network(network, dataset, other)
        else:
            with pytest.raises(DataError, match="its test accuracy was"):
                check_network(network, dataset, other)


def test_logits_that_are_not_numbers_are_kept_as_none_and_known_again(runs: Runs, config: MakeConfig) -> None:
    folder = folder_of(runs, config())
    train_trial(config(), folder)
    dataset = build_dataset(config(), None)
    network = load_network(config(), folder, dataset)
    with torch.no_grad():
        network.stages.output.weight.fill_(torch.nan)
    result = folder.read_result().model_copy(update={"logits": reference_logits(network, dataset)})
    assert result.logits == [[None, None]] * 8
    folder.write_result(result)
    check_network(network, dataset, folder.read_result())


def test_a_network_class_whose_forward_is_another_is_refused_by_measure_model() -> None:
    with pytest.raises(ConfigError, match="gives other logits when it is cut into stages"):
        autoreg.measure_model(Scaled(stages(), measured=["hidden"]), torch.randn(20, 10))
