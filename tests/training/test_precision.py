"""A trial is trained with the precision that its sweep asks for, and measured in float32."""

from collections.abc import Callable

import polars as pl
import pytest
import torch

from autoreg.config.trial import Choice, TrialConfig
from autoreg.datasets import Dataset, build_dataset
from autoreg.metrics.measure import measure_trial, measurements_of
from autoreg.networks import Network
from autoreg.networks.normalization import LocalResponseNorm
from autoreg.runs.folder import Runs
from autoreg.training.epoch import train_epoch
from autoreg.training.loop import train_trial
from autoreg.training.precision import precision_of
from autoreg.training.state import TrialState

CPU = torch.device("cpu")
MakeConfig = Callable[..., TrialConfig]


def flags() -> tuple[bool, bool, bool]:
    return (
        torch.backends.cuda.matmul.allow_tf32,
        torch.backends.cudnn.allow_tf32,
        torch.is_autocast_enabled("cpu"),
    )


@pytest.mark.parametrize(
    ("precision", "inside"),
    [("float32", (False, False, False)), ("tf32", (True, True, False)), ("bfloat16", (True, True, True))],
)
def test_a_precision_holds_inside_and_no_longer(precision: str, inside: tuple[bool, bool, bool]) -> None:
    before = flags()
    seen = []

    def fail() -> None:
        with precision_of(precision, CPU):
            seen.append(flags())
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert seen == [inside]
    assert flags() == before


def test_another_precision_is_another_trial_and_the_default_is_none(config: MakeConfig) -> None:
    assert config(precision="float32").trial_id == config().trial_id
    assert len({config(precision=name).trial_id for name in ("float32", "tf32", "bfloat16")}) == 3


def test_normalisation_keeps_its_digits_in_bfloat16() -> None:
    inputs = 20 * torch.randn(2, 8, 4, 4, generator=torch.Generator().manual_seed(0))
    exact = LocalResponseNorm(alpha=1e-3)(inputs)
    coarse = LocalResponseNorm(alpha=1e-3)(inputs.bfloat16())
    assert coarse.dtype == torch.bfloat16
    assert not torch.allclose(exact, inputs, rtol=0.05)
    torch.testing.assert_close(coarse.float(), exact, rtol=0.02, atol=0.02)


def trained(config: TrialConfig, dataset: Dataset) -> TrialState:
    state = TrialState.fresh(config, dataset)
    for _ in range(config.epochs):
        train_epoch(config, dataset, state)
    return state


def test_bfloat16_learns_as_much_as_float32_with_other_bits(config: MakeConfig) -> None:
    data = Choice(name="teacher", options={"train_size": 2000, "validation_size": 2000, "test_size": 100})
    accuracies: dict[str, list[float]] = {}
    weights = {}
    for precision in ("float32", "bfloat16"):
        for replicate in range(3):
            trial = config(precision=precision, replicate=replicate, dataset=data, width=1.0, epochs=20)
            state = trained(trial, build_dataset(trial, None))
            accuracies.setdefault(precision, []).append(state.epochs[-1].validation_accuracy)
            weights[precision] = next(state.network.parameters())
    means = {name: sum(values) / 3 for name, values in accuracies.items()}
    assert means["float32"] > 0.85
    assert abs(means["float32"] - means["bfloat16"]) < 0.01
    assert weights["bfloat16"].dtype == torch.float32
    assert not torch.equal(weights["float32"], weights["bfloat16"])


@pytest.mark.parametrize("network", ["alexnet", "resnet56"])
def test_images_are_trained_on_in_bfloat16(config: MakeConfig, network: str) -> None:
    noise = Choice(name="noise", options={"shape": [3, 32, 32], "train_size": 40})
    losses = {}
    for precision in ("float32", "bfloat16"):
        trial = config(network=Choice(name=network), precision=precision, dataset=noise, batch_size=20, epochs=1)
        losses[precision] = trained(trial, build_dataset(trial, None)).epochs[0].train_loss
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.03)
    assert losses["bfloat16"] != losses["float32"]


def seen_flags(network: Network, dataset: Dataset, split: str, replicate: int) -> pl.DataFrame:
    """A metric: the flags that hold while metrics are computed."""
    return pl.DataFrame([flags()], schema=["matmul", "cudnn", "autocast"], orient="row")


def test_metrics_are_computed_in_float32(config: MakeConfig, runs: Runs) -> None:
    trial = config(precision="bfloat16", epochs=1)
    folder = runs.trial(trial.trial_id)
    train_trial(trial, folder)
    [measurement] = measurements_of(f"{__name__}:seen_flags", {}, ["test"])
    with precision_of("bfloat16", CPU):  # whatever held before
        measure_trial(folder, [measurement])
    assert pl.read_parquet(measurement.path(folder)).rows() == [("test", False, False, False)]
