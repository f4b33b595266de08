"""Compressed width: rows are what networks with these units out say; section 2.3's constructions give its table."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from torch import Tensor, nn

from autoreg.config.trial import TrialConfig
from autoreg.datasets import Dataset, Split
from autoreg.errors import DataError
from autoreg.metrics.compression import compression
from autoreg.metrics.measure import measure_trial, measurements_of
from autoreg.networks import Network
from autoreg.runs.folder import Runs
from autoreg.runs.measurements import read_measurement
from autoreg.training.loop import train_trial

UNITS, INPUTS, CLASSES, EXAMPLES = 8, 6, 3, 4000
Halves = tuple[Tensor, Tensor]
#: Incoming weights u of 8 units and v of others, which see other inputs; outgoing weights w, and ones that cancel, η.
Construction = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Halves, Halves]]


def both(u: Tensor, v: Tensor, w: Tensor, eta: Tensor) -> tuple[Halves, Halves]:
    return (u, u), (w, 0 * w)


def dead(u: Tensor, v: Tensor, w: Tensor, eta: Tensor) -> tuple[Halves, Halves]:
    return (u, 0 * u), (w, eta)


def only_removable(u: Tensor, v: Tensor, w: Tensor, eta: Tensor) -> tuple[Halves, Halves]:
    return (u, v), (w, 0 * w)


def only_repeated(u: Tensor, v: Tensor, w: Tensor, eta: Tensor) -> tuple[Halves, Halves]:
    return (u, u), (w / 2 + eta, w / 2 - eta)


def scaled(u: Tensor, v: Tensor, w: Tensor, eta: Tensor) -> tuple[Halves, Halves]:
    factors = torch.linspace(0.5, 2, UNITS).double()
    return (u, u * factors[:, None]), (w / 2 + eta, (w / 2 - eta) / factors)


def built(construction: Construction, is_convolution: bool) -> tuple[Network, Dataset]:
    """A network of 16 hidden units; the rows of u and of v are orthogonal, so that no unit is like another."""
    generator = torch.Generator().manual_seed(4)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    halves = construction(
        torch.cat([torch.eye(UNITS), torch.zeros(UNITS, UNITS)], 1).double(),
        torch.cat([torch.zeros(UNITS, UNITS), torch.eye(UNITS)], 1).double(),
        drawn(CLASSES, UNITS),
        20 * drawn(CLASSES, UNITS),
    )
    incoming, outgoing = torch.cat(halves[0]), torch.cat(halves[1], 1)
    inputs, labels = drawn(EXAMPLES, 2 * UNITS), torch.randint(CLASSES, (EXAMPLES,), generator=generator)
    hidden: nn.Module = nn.Linear(2 * UNITS, 2 * UNITS, bias=False)
    output: nn.Module = nn.Linear(2 * UNITS, CLASSES)
    end: list[tuple[str, nn.Module]] = []
    if is_convolution:
        hidden, output = nn.Conv2d(2 * UNITS, 2 * UNITS, 1, bias=False), nn.Conv2d(2 * UNITS, CLASSES, 3, padding=1)
        inputs, incoming = inputs[:, :, None, None], incoming[:, :, None, None]
        outgoing = nn.functional.pad(outgoing[:, :, None, None], (1, 1, 1, 1))  # the kernel's middle sees the input
        end = [("flatten", nn.Flatten())]
    stages = [("hidden", nn.Sequential(hidden, nn.ReLU())), ("output", output), *end]
    network = Network(stages, measured=["hidden"]).double().eval()
    with torch.no_grad():
        hidden.weight.copy_(incoming)
        output.weight.copy_(outgoing)
        output.bias.copy_(drawn(CLASSES))
    return network, dataset_of(inputs, labels)


def dataset_of(inputs: Tensor, labels: Tensor, **splits: Split) -> Dataset:
    split = Split(inputs, labels)
    whole = Dataset(split, split, split, tuple(inputs.shape[1:]), CLASSES, "given", lambda stored: stored)
    return replace(whole, **splits)


@pytest.mark.parametrize("is_convolution", [False, True], ids=["linear", "convolution"])
@pytest.mark.parametrize(
    ("construction", "drop", "merge", "either", "rebuild"),
    [
        (both, 8, 8, 8, 8), (dead, 8, 8, 8, 8), (only_removable, 8, 16, 8, 8), (only_repeated, 16, 8, 8, 8),
        (scaled, 16, 8, 8, 8),
    ],
)  # fmt: skip
def test_the_constructions_of_section_2_3_need_so_many_units(
    construction: Construction, is_convolution: bool, drop: int, merge: int, either: int, rebuild: int
) -> None:
    network, dataset = built(construction, is_convolution)
    rows = compression(network, dataset, "test", 0, levels=5, examples=None).filter(unchanged_validation=1.0)
    needed = {surgery: min(cell[0] for cell in rows.filter(surgery=surgery)["kept"]) for surgery in rows["surgery"]}
    assert needed == {"drop": drop, "merge": merge, "either": either, "rebuild": rebuild}


def small(**splits: Split) -> tuple[Network, Dataset]:
    torch.manual_seed(0)
    stages = [
        ("conv", nn.Sequential(nn.Conv2d(2, 10, 3, padding=1), nn.ReLU())),
        ("pool", nn.AdaptiveAvgPool2d(2)),
        ("flatten", nn.Flatten()),
        ("full", nn.Sequential(nn.Linear(40, 12), nn.ReLU())),
        ("output", nn.Linear(12, CLASSES)),
    ]
    network = Network(stages, measured=["conv", "full"]).eval()
    inputs = torch.randn(300, 2, 6, 6)
    with torch.no_grad():  # all classes are predicted
        network.stages.output.weight *= 10
        network.stages.output.bias -= network(inputs).mean(0)
    return network, dataset_of(inputs, torch.randint(CLASSES, (300,)), **splits)


@torch.inference_mode()
def test_rows_of_dropping_are_those_of_a_network_with_these_units_set_to_0() -> None:
    other = Split(torch.randn(200, 2, 6, 6), torch.randint(CLASSES, (200,)))
    network, dataset = small(validation=other)
    frame = compression(network, dataset, "test", 0, surgeries=["drop"], examples=None)
    orders = {row["layer"]: row["taken"] for row in frame.drop_nulls("taken").to_dicts()}
    levels = frame.drop_nulls("rule").to_dicts()
    assert {row["rule"] for row in levels} == {"error", "refined", "share"}
    assert len({row["unchanged"] for row in levels}) > 8
    for row in levels:
        kept = dict(zip(row["layers"], row["kept"], strict=True))
        parameters = 19 * kept["conv"] + (4 * kept["conv"] + 1) * kept["full"] + (kept["full"] + 1) * CLASSES
        assert row["parameters"] == parameters
        for split, column in ((dataset.validation, "unchanged_validation"), (dataset.test, "unchanged")):
            if row[column] is None:
                assert row["rule"] == "share"
                continue
            before, after = network(split.inputs), dropped(network, split.inputs, orders, kept)
            assert row[column] == pytest.approx((before.argmax(1) == after.argmax(1)).double().mean().item())
        assert row["accuracy"] == pytest.approx((after.argmax(1) == dataset.test.labels).double().mean().item())


def dropped(network: Network, inputs: Tensor, orders: dict[str, list[int]], kept: dict[str, int]) -> Tensor:
    handles = []
    for layer, order in orders.items():
        mask = torch.ones(len(order) + 1)  # one unit is always left
        mask[order[: len(mask) - kept[layer]]] = 0

        def hook(module: nn.Module, given: object, output: Tensor, mask: Tensor = mask) -> Tensor:
            return output * mask.reshape(-1, *(1 for _ in output.shape[2:]))

        handles.append(getattr(network.stages, layer).register_forward_hook(hook))
    logits = network(inputs)
    for handle in handles:
        handle.remove()
    return logits


def test_levels_are_chosen_by_validation_and_orders_by_the_training_split() -> None:
    network, dataset = small()
    other = Split(3 * torch.randn(150, 2, 6, 6), torch.randint(CLASSES, (150,)))

    def measured(**splits: Split) -> pl.DataFrame:
        changed = replace(dataset, **splits)
        return compression(network, changed, "test", 0, surgeries=["drop"], levels=5, examples=None)

    base, validated, tested, trained = (
        measured(),
        measured(validation=other),
        measured(test=other),
        measured(train=other),
    )
    orders, shares = ["layer", "taken", "errors", "eigenvalues"], ["rule", "level", "kept", "unchanged_validation"]
    assert validated.select(orders).drop_nulls("taken").equals(base.select(orders).drop_nulls("taken"))
    assert tested.select(orders, *shares).equals(base.select(orders, *shares))
    assert tested["unchanged"].drop_nulls().to_list() != base["unchanged"].drop_nulls().to_list()
    assert not validated.select(shares).equals(base.select(shares))
    assert not trained.select("errors").equals(base.select("errors"))
    assert (base.filter(rule="refined")["unchanged_validation"] >= 0.95).all()


def test_a_smaller_error_keeps_more_units_and_a_narrower_network_has_fewer_parameters() -> None:
    network, dataset = small()
    frame = compression(network, dataset, "test", 0, levels=6)
    for surgery in ("drop", "merge", "either", "rebuild"):
        rows = frame.filter(pl.col("rule") != "share", surgery=surgery).sort("level")
        assert rows["level"][0] == 0.0
        assert rows["unchanged"][0] == 1.0
        if surgery == "drop":
            assert rows["kept"].list.sum().is_sorted(descending=True)
            assert rows["parameters"].is_sorted(descending=True)
        assert rows["flops"][0] > rows["flops"][-1]


def test_rows_are_the_same_on_one_thread_and_on_two() -> None:
    network, dataset = small()
    frames = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found = compression(network, dataset, "test", 0, surgeries=["merge", "rebuild"], levels=2, examples=50)
        frames.append(found.drop("errors", "eigenvalues"))
    torch.set_num_threads(1)
    assert frames[0].equals(frames[1])


def test_examples_are_drawn_at_random_and_no_more_than_asked_for() -> None:
    network, dataset = small()
    frame = compression(network, dataset, "test", 0, levels=3, examples=7).drop_nulls("unchanged")
    assert {round(share * 7, 9) for share in frame["unchanged"].to_list()} <= {*map(float, range(8))}
    sorted_by_class = dataset.test.labels.sort().indices
    ordered = Split(dataset.test.inputs[sorted_by_class], dataset.test.labels[sorted_by_class])
    accuracies = compression(network, replace(dataset, test=ordered), "test", 0, levels=2, examples=60)[
        "accuracy"
    ].drop_nulls()
    with torch.inference_mode():
        is_right = network(ordered.inputs).argmax(1) == ordered.labels
    assert accuracies[0] == pytest.approx(is_right.double().mean().item(), abs=0.2)


def test_without_a_validation_split_nothing_is_chosen() -> None:
    network, dataset = small()
    none = Split(dataset.test.inputs[:0], dataset.test.labels[:0])
    with pytest.raises(DataError, match="needs a validation split"):
        compression(network, replace(dataset, validation=none), "test", 0)


def test_a_trial_is_measured_while_its_activations_are_watched(config: Callable[..., TrialConfig], runs: Runs) -> None:
    made = config(epochs=1)
    folder = runs.trial(made.trial_id)
    train_trial(made, folder)
    wanted = measurements_of("compression", {"surgeries": ["rebuild"], "levels": 4}, ["test"])
    assert measure_trial(folder, wanted) == 1
    _, frame = read_measurement(Path(wanted[0].path(folder)))
    [layer] = frame.drop_nulls("units").to_dicts()
    assert (layer["layer"], layer["units"], layer["whole"]) == ("hidden", 32, None)
    assert len(layer["eigenvalues"]) == 32
    assert frame.filter(rule="error").height == 4 + 2
