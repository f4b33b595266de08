"""Ablation equals a hook-based oracle, and networks built by hand measure as theory says."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor, nn

from autoreg.config.trial import Choice
from autoreg.datasets import Dataset, Split
from autoreg.metrics.ablation import ablation
from autoreg.metrics.similarity import similarity
from autoreg.networks import Network
from autoreg.networks.initializers import initialize
from autoreg.seeds import derive_seed


def dataset_of(inputs: Tensor, labels: Tensor, classes: int = 2) -> Dataset:
    split = Split(inputs, labels)
    return Dataset(split, split, split, tuple(inputs.shape[1:]), classes, "by hand")


def convolutional() -> tuple[Network, Dataset]:
    torch.manual_seed(0)
    network = Network(
        [
            ("conv", nn.Sequential(nn.Conv2d(2, 6, 3, padding=1), nn.ReLU())),
            ("pool", nn.MaxPool2d(2)),
            ("second", nn.Sequential(nn.Conv2d(6, 5, 3), nn.ReLU())),
            ("flatten", nn.Flatten()),
            ("full", nn.Sequential(nn.Linear(20, 7), nn.ReLU())),
            ("output", nn.Linear(7, 4)),
        ],
        measured=["conv", "second", "full"],
    ).eval()
    initialize(network, Choice(name="he_normal"), 0)
    inputs = torch.randn(300, 2, 8, 8)
    with torch.no_grad():  # labels that depend on the input, so that a dropped unit shows
        network.stages.output.bias -= network(inputs).mean(0)
    return network, dataset_of(inputs, torch.randint(4, (300,)), 4)


@torch.inference_mode()
def oracle(
    network: Network, dataset: Dataset, layers: list[str], granularity: str, sample: int, step: int, steps: int
) -> tuple[float, float]:
    """Drop units by forward hooks on the whole network, one full pass for one number, as the authors did."""
    inputs, labels = dataset.test.inputs, dataset.test.labels
    base = network(inputs).argmax(1)

    def hook_of(layer: str) -> Callable[..., Tensor]:
        def hook(module: nn.Module, given: object, output: Tensor) -> Tensor:
            single = granularity == "application" and output.ndim > 2
            shape = output.shape[1:] if single else (output.shape[1], *(1 for _ in output.shape[2:]))
            seed = derive_seed(0, "ablation", layer, "application" if single else "kernel", sample)
            count = torch.Size(shape).numel()
            order = torch.randperm(count, generator=torch.Generator().manual_seed(seed)).reshape(shape)
            dropped = count * step // steps if single else int(np.linspace(0, 1, steps + 1)[step] * count)
            kept = torch.where(order < dropped, 0.0, 1.0)
            return output * kept

        return hook

    handles = [getattr(network.stages, layer).register_forward_hook(hook_of(layer)) for layer in layers]
    predicted = network(inputs).argmax(1)
    for handle in handles:
        handle.remove()
    return (predicted == base).double().mean().item(), (predicted == labels).double().mean().item()


@pytest.mark.parametrize("is_pool_hooked", [False, True])
def test_every_row_equals_a_full_pass_with_hooks(is_pool_hooked: bool) -> None:
    network, dataset = convolutional()
    if is_pool_hooked:  # so that a unit of zeros is not pooled to zeros
        network.stages.pool.register_forward_hook(lambda module, given, output: 1 - output)
    frame = ablation(network, dataset, "test", 0, fractions=5, samples=2)
    assert frame.height == (3 * 2 + 2) * 2 * 5
    assert frame["unchanged"].n_unique() > 20
    for row in frame.iter_rows(named=True):
        layers = [row["layer"]] if row["scope"] == "layer" else list(network.measured)
        step = round(row["fraction"] * 4)
        expected = oracle(network, dataset, layers, row["granularity"], row["sample"], step, 4)
        assert (row["unchanged"], row["accuracy"]) == pytest.approx(expected, abs=1e-12), row


@pytest.mark.parametrize("units", [18, 72])
def test_so_many_units_are_dropped_as_by_the_released_code(units: int) -> None:
    torch.manual_seed(0)
    network = Network(
        [("hidden", nn.Sequential(nn.Linear(5, units), nn.ReLU())), ("output", nn.Linear(units, 10))],
        measured=["hidden"],
    ).eval()
    dataset = dataset_of(torch.randn(1000, 5), torch.randint(10, (1000,)), 10)
    rows = ablation(network, dataset, "test", 0, samples=3).filter(scope="network", granularity="kernel")
    for row in rows.iter_rows(named=True):
        step = round(row["fraction"] * 6)
        expected = oracle(network, dataset, ["hidden"], "kernel", row["sample"], step, 6)
        assert (row["unchanged"], row["accuracy"]) == pytest.approx(expected, abs=1e-12), row


def test_fraction_0_changes_nothing_and_fraction_1_leaves_one_answer_for_all() -> None:
    network, dataset = convolutional()
    frame = ablation(network, dataset, "test", 0, fractions=3, samples=2)
    assert frame.filter(pl.col("fraction") == 0)["unchanged"].unique().to_list() == [1.0]
    with torch.inference_mode():
        base = network(dataset.test.inputs).argmax(1)
    shares = {(base == label).double().mean().item() for label in range(4)}
    assert set(frame.filter(pl.col("fraction") == 1)["unchanged"].to_list()) <= shares


def test_another_replicate_drops_other_units() -> None:
    network, dataset = convolutional()
    first, again, other = (ablation(network, dataset, "test", replicate, samples=1) for replicate in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)


def by_hand(incoming: Tensor, outgoing: Tensor, bias: Tensor) -> Network:
    hidden, output = nn.Linear(*incoming.T.shape, bias=False), nn.Linear(*outgoing.T.shape)
    with torch.no_grad():
        hidden.weight.copy_(incoming)
        output.weight.copy_(outgoing)
        output.bias.copy_(bias)
    return Network([("hidden", nn.Sequential(hidden, nn.ReLU())), ("output", output)], measured=["hidden"]).eval()


UNITS = 12


def both() -> tuple[Network, Tensor]:
    """All units see the same input, and one of them is enough."""
    outgoing = torch.stack([torch.ones(UNITS), torch.zeros(UNITS)])
    return by_hand(torch.ones(UNITS, 1), outgoing, torch.tensor([0.0, 0.5])), torch.tensor([[0.0], [1.0]]).repeat(20, 1)


def repeated_only() -> tuple[Network, Tensor]:
    """All units see the same input, and each of them is needed."""
    outgoing = torch.stack([torch.ones(UNITS), torch.zeros(UNITS)])
    bias = torch.tensor([0.5 - UNITS, 0.0])
    return by_hand(torch.ones(UNITS, 1), outgoing, bias), torch.tensor([[0.0], [1.0]]).repeat(20, 1)


def removable_only() -> tuple[Network, Tensor]:
    """Each unit sees an input of its own, uncorrelated with the others', and the output does not depend on any."""
    hadamard = torch.ones(1, 1)
    for _ in range(4):
        hadamard = torch.cat([torch.cat([hadamard, hadamard], 1), torch.cat([hadamard, -hadamard], 1)])
    return by_hand(torch.eye(UNITS), torch.zeros(2, UNITS), torch.tensor([1.0, 0.0])), hadamard[:, 1 : UNITS + 1]


@pytest.mark.parametrize(
    ("make", "middle", "last", "similar"),
    [(both, 1.0, 0.5, UNITS - 1), (repeated_only, 0.5, 0.5, UNITS - 1), (removable_only, 1.0, 1.0, 0)],
)
def test_networks_built_by_hand_measure_as_theory_says(
    make: Callable[[], tuple[Network, Tensor]], middle: float, last: float, similar: int
) -> None:
    """Paper, section 2.3: removable and repeated units are two things; a network can have either without the other."""
    network, inputs = make()
    dataset = dataset_of(inputs, torch.zeros(len(inputs), dtype=torch.int64))
    frame = ablation(network, dataset, "test", 0)
    for (_, fraction), rows in frame.group_by("scope", "fraction"):
        expected = 1.0 if fraction == 0 else last if fraction == 1 else middle
        assert rows["unchanged"].unique().to_list() == [expected]
    found = similarity(network, dataset, "test", 0)
    assert found["similar"].explode().unique().to_list() == [similar]
    assert not found["dead"].explode().any()
