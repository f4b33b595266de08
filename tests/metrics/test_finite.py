"""NaN and ±inf are neither dead units nor removable ones: the measurement fails and names the layer."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import torch
from torch import nn

import autoreg
from autoreg.config.trial import Choice, TrialConfig
from autoreg.datasets import Dataset, Split
from autoreg.errors import DataError
from autoreg.metrics.finite import finite_activations
from autoreg.metrics.measure import measure_trial, measurements_of
from autoreg.networks import Network
from autoreg.runs.folder import Runs
from autoreg.training.loop import train_trial


def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 3))


def inputs() -> torch.Tensor:
    return torch.randn(100, 6, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("row", [0, 57])
def test_one_input_that_is_not_finite_is_named_with_the_layer_that_it_reaches_first(row: int, value: float) -> None:
    given = inputs()
    given[row, 2] = value
    with pytest.raises(DataError, match="activations must be finite numbers, got NaN or ±inf in layer 1 on given"):
        autoreg.measure_model(model(), given)


@pytest.mark.parametrize(("stage", "layer"), [(0, "1"), (2, "3"), (4, "4")])
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_weight_that_is_not_finite_is_found_in_its_layer(stage: int, layer: str, value: float) -> None:
    damaged = model()
    with torch.no_grad():
        damaged[stage].weight[1].fill_(value)
    with pytest.raises(DataError, match=rf"NaN or ±inf in layer {layer} on"):
        autoreg.measure_model(damaged, inputs().abs())


@pytest.mark.parametrize("undefined", [lambda x: x / x.sum(1, keepdim=True), torch.log], ids=["0/0", "log 0"])
def test_what_dropped_units_leave_undefined_is_no_label(undefined: Callable[[torch.Tensor], torch.Tensor]) -> None:
    class Undefined(nn.Module):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return undefined(values)

    network = nn.Sequential(*model()[:3], nn.Softplus(), Undefined(), nn.Linear(5, 3))
    with pytest.raises(DataError, match=r"logits must be finite.* with \d/6 of (each )?layer.* dropped$"):
        autoreg.measure_model(network, inputs())


class Overflow(nn.Module):
    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values * 1e38 * 1e5


def named(relu: nn.Module, again: nn.Module) -> Network:
    torch.manual_seed(0)
    stages = [
        ("a", nn.Linear(6, 8)), ("first", relu), ("within", nn.Sequential(nn.Linear(8, 8), again)),
        ("overflow", Overflow()), ("second", again), ("bounded", nn.Hardtanh()), ("output", nn.Linear(8, 3)),
    ]  # fmt: skip
    return Network(stages, measured=["first", "second"])


@pytest.mark.parametrize("max_vectors", [None, 50_000])
@pytest.mark.parametrize("is_shared", [False, True])
def test_a_module_that_stands_in_two_stages_is_watched_in_each(is_shared: bool, max_vectors: int | None) -> None:
    relu = nn.ReLU()
    made = named(relu, relu if is_shared else nn.ReLU())
    with pytest.raises(DataError, match="NaN or ±inf in layer second on given"):
        autoreg.measure_model(made, inputs(), max_vectors=max_vectors)


def test_a_measurement_leaves_a_network_as_it_was() -> None:
    made = named(nn.ReLU(), nn.ReLU()).eval()
    before = dict(made.stages._modules)
    with pytest.raises(DataError, match="in layer second"), finite_activations(made, "given"):
        made(inputs())
    assert all(stage is before[name] for name, stage in made.stages._modules.items())
    assert not any(stage._forward_hooks or stage._forward_pre_hooks for stage in made.stages)


def test_what_is_large_and_finite_is_measured() -> None:
    scores = autoreg.measure_model(model(), inputs() * 1e30).scores()
    assert scores["auc"].is_finite().all()
    assert scores["similar_units"].is_finite().all()


def class_counts(network: Network, dataset: Dataset, split: str, _replicate: int) -> pl.DataFrame:
    """A metric of one's own that looks at the output only."""
    counts = [network(given).argmax(1).bincount(minlength=2) for given, _ in dataset.batches(split)]
    return pl.DataFrame({"count": torch.stack(counts).sum(0).tolist()})


def with_a_gap(_root: Path | None) -> Dataset:
    """Ten dimensions; one number of test input 57 is missing."""
    given = torch.randn(100, 10, generator=torch.Generator().manual_seed(0))
    whole = Split(given, (given[:, 0] > 0).long())
    test = Split(given.clone(), whole.labels)
    test.inputs[57, 3] = torch.nan
    return Dataset(whole, whole, test, (10,), 2, "with a gap")


@pytest.mark.parametrize("metric", ["ablation", "similarity", f"{__name__}:class_counts"])
def test_a_trial_gets_no_rows_of_any_metric(metric: str, runs: Runs, config: Callable[..., TrialConfig]) -> None:
    made = config(epochs=1, dataset=Choice(name=f"{__name__}:with_a_gap"))
    folder = runs.trial(made.trial_id)
    train_trial(made, folder)
    assert measure_trial(folder, measurements_of(metric, {}, ["train"])) == 1
    [kept] = folder.measurement_paths()
    with pytest.raises(DataError, match="NaN or ±inf in layer hidden on test inputs"):
        measure_trial(folder, measurements_of(metric, {}, ["test"]))
    assert folder.measurement_paths() == [kept]
