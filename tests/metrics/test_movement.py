"""Movement: NumPy gives the same numbers of the weights and the activations before training and after."""

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

import autoreg
from autoreg.config.trial import Choice, TrialConfig
from autoreg.database.connection import query, reading
from autoreg.database.writer import rebuild
from autoreg.datasets import Dataset, Split, build_dataset
from autoreg.errors import DataError
from autoreg.metrics import metrics
from autoreg.metrics.measure import measure_trial, measurements_of
from autoreg.networks import Network, build_network
from autoreg.networks.initializers import initialize
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.training.epoch import train_epoch
from autoreg.training.initial import drawn_network
from autoreg.training.loop import load_network, train_trial
from autoreg.training.state import TrialState
from tests.helpers.image_trials import folder_of
from tests.helpers.records import add_movement, write_record

MakeConfig = Callable[..., TrialConfig]
INPUTS = torch.randn(40, 3, 6, 6, generator=torch.Generator().manual_seed(0))


def own(width: float, input_shape: tuple[int, ...], classes: int, dropout: float) -> Network:
    """An MLP of the user's own, whose biases are drawn by itself."""
    hidden = nn.Sequential(nn.Linear(10, 8), nn.ReLU())
    return Network([("hidden", hidden), ("output", nn.Linear(8, classes))], measured=["hidden"])


def convolutional() -> Network:
    torch.manual_seed(1)
    stages: list[tuple[str, nn.Module]] = [
        ("up", nn.Sequential(nn.ConvTranspose2d(3, 4, 3, groups=1), nn.BatchNorm2d(4), nn.ReLU())),
        ("pair", nn.Sequential(nn.Conv2d(4, 6, 3, groups=2), nn.Tanh(), nn.Conv2d(6, 5, 1), nn.ReLU())),
        ("flatten", nn.Flatten()),
        ("output", nn.Linear(5 * 36, 2)),
    ]
    return Network(stages, measured=["up", "pair"]).eval()


def moved(network: Network, by: float = 0.1) -> Network:
    """The network after some training: each parameter another one, and itself before."""
    later = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in later.parameters():
            parameter += by * torch.randn(parameter.shape)
    later.remember(network)
    return later


def measured(network: Network) -> dict[str, dict[str, Any]]:
    split = Split(INPUTS, torch.zeros(len(INPUTS), dtype=torch.int64))
    dataset = Dataset(split, split, split, (3, 6, 6), 2, "noise", evaluation_batch=7)
    return {row["layer"]: row for row in metrics["movement"](network, dataset, "test", 0).to_dicts()}


def trained(runs: Runs, made: TrialConfig) -> TrialFolder:
    folder = folder_of(runs, made)
    assert train_trial(made, folder) is not None
    return folder


def rows(folder: TrialFolder) -> pl.DataFrame:
    [wanted] = measurements_of("movement", {}, ["test"])
    measure_trial(folder, [wanted])
    return pl.read_parquet(wanted.path(folder))


def test_weights_moved_as_far_as_numpy_says_as_matrices_of_a_row_for_each_kernel() -> None:
    before = convolutional()
    after = moved(before)
    found = measured(after)
    layers = {"up": ["up.0"], "pair": ["pair.0", "pair.2"], "output": ["output"]}
    assert {name: row["map"] for name, row in found.items()} == layers
    for layer, names in layers.items():
        for index, name in enumerate(names):
            first, last = (each.stages.get_submodule(name).weight.detach().numpy() for each in (before, after))
            first, last = (each.swapaxes(0, 1) if name == "up.0" else each for each in (first, last))
            first, last = (each.reshape(len(each), -1) for each in (first, last))
            row = {column: found[layer][column][index] for column in ("initial_norm", "movement", "spectral_movement")}
            norms = np.linalg.norm(last - first), np.linalg.norm(first)
            spectral = np.linalg.norm(last - first, 2) / np.linalg.norm(first, 2)
            np.testing.assert_allclose(list(row.values()), [norms[1], norms[0] / norms[1], spectral], rtol=1e-5)


def test_a_layers_change_is_the_mean_of_one_minus_the_correlation_of_each_unit_with_itself_before() -> None:
    before = convolutional()
    after = moved(before)
    found = measured(after)
    assert found["output"]["activation_change"] is None
    for layer, units in (("up", 4), ("pair", 5)):
        first, last = (
            dict(each.walk(INPUTS))[layer].detach().double().numpy().swapaxes(0, 1).reshape(units, -1)
            for each in (before, after)
        )
        expected = np.mean([1 - np.corrcoef(one, other)[0, 1] for one, other in zip(first, last, strict=True)])
        assert found[layer]["activation_change"] == pytest.approx(expected, abs=1e-6)
        assert (found[layer]["units"], found[layer]["constant_before"], found[layer]["constant_after"]) == (units, 0, 0)


def test_a_unit_that_is_constant_before_and_after_has_not_changed_and_one_that_became_so_has_wholly() -> None:
    before = convolutional()
    after = moved(before, by=0.0)
    with torch.no_grad():
        before.stages.get_submodule("pair.2").bias[:2] = -100.0  # type: ignore[operator, union-attr, index]
        after.stages.get_submodule("pair.2").bias[1:4] = -100.0  # type: ignore[operator, union-attr, index]
    found = measured(after)["pair"]
    assert (found["constant_before"], found["constant_after"]) == (2, 3)
    assert found["activation_change"] == pytest.approx((1 + 0 + 1 + 1 + 0) / 5)


def test_weights_count_for_the_measured_layer_that_they_lead_to() -> None:
    stages = [("first", nn.Linear(108, 3)), ("relu", nn.ReLU()), ("output", nn.Linear(3, 2))]
    network = Network([("flatten", nn.Flatten()), *stages], measured=["relu"]).eval()
    assert {layer: row["map"] for layer, row in measured(moved(network)).items()} == {
        "relu": ["first"], "output": ["output"],
    }  # fmt: skip


def test_nothing_moves_in_no_time_and_what_began_at_zero_has_no_movement() -> None:
    before = convolutional()
    with torch.no_grad():
        before.stages.get_submodule("pair.2").weight.zero_()  # type: ignore[operator, union-attr]
    found = measured(moved(before, by=0.0))
    assert found["pair"]["movement"] == [0.0, None]
    assert found["pair"]["spectral_movement"] == [0.0, None]
    assert found["up"]["activation_change"] == pytest.approx(0, abs=1e-9)


def test_the_initial_weights_of_a_finished_trial_are_drawn_again(runs: Runs, config: MakeConfig) -> None:
    made = config(replicate=3)
    folder = trained(runs, made)
    dataset = build_dataset(made, None)
    network, before = load_network(made, folder, dataset), build_network(made, (10,), 2)
    initialize(before, made.initializer, 3)
    first, last = (
        [module.weight.detach().numpy() for _, module in each.maps()]  # type: ignore[union-attr]
        for each in (before, network)
    )
    found = rows(folder)
    assert found["layer"].to_list() == ["hidden", "output"]
    expected = [np.linalg.norm(w - v) / np.linalg.norm(v) for v, w in zip(first, last, strict=True)]
    np.testing.assert_allclose(found["movement"].list.first().to_list(), expected, rtol=1e-6)
    assert min(expected) > 0.1


def test_a_trial_without_a_digest_of_its_initial_weights_is_measured_if_its_network_is_packaged(
    runs: Runs, config: MakeConfig
) -> None:
    packaged = trained(runs, config(epochs=1))
    expected = rows(trained(Runs(runs.root / "other"), config(epochs=1)))
    strange = trained(runs, config(epochs=1, network=Choice(name=f"{__name__}:own")))
    for folder in (packaged, strange):
        result = folder.read_result()
        assert len(result.initial_weights) == 2
        folder.write_result(result.model_copy(update={"initial_weights": []}))
    assert rows(packaged).equals(expected)
    with pytest.raises(DataError, match=r"of a version that kept no digest of them; train it again"):
        rows(strange)


@pytest.mark.parametrize(
    "changed",
    [lambda drawn: drawn[:1], lambda drawn: [drawn[0], drawn[1] + 1e-3], lambda drawn: [None, drawn[1]]],
)
def test_other_initial_weights_than_the_trials_are_refused(
    runs: Runs, config: MakeConfig, changed: Callable[[list[float]], list[float]]
) -> None:
    folder = trained(runs, config(epochs=1, network=Choice(name=f"{__name__}:own")))
    result = folder.read_result()
    assert rows(folder).height == 2
    [wanted] = measurements_of("movement", {}, ["train"])
    folder.write_result(result.model_copy(update={"initial_weights": changed(result.initial_weights)}))
    with pytest.raises(DataError, match="other initial weights are drawn now than the trial began with"):
        measure_trial(folder, [wanted])


def slope_of_movement(config: MakeConfig, parametrization: str) -> float:
    """Return the slope of log2 of the hidden layer's movement over log2 of the width, at one rate."""
    found = []
    for width in (0.25, 1.0, 4.0):
        data = Choice(name="teacher", options={"train_size": 500, "validation_size": 10, "test_size": 10})
        changes = {"dataset": data, "learning_rate": 0.03, "batch_size": 100, "parametrization": parametrization}
        made = config(width=width, **changes)
        dataset = build_dataset(made, None)
        state = TrialState.fresh(made, dataset)
        for _ in range(40):
            train_epoch(made, dataset, state)
        state.network.remember(drawn_network(made, dataset))
        found.append(metrics["movement"](state.network.eval(), dataset, "test", 0)["movement"].list.first()[0])
    return float(np.polyfit((-2, 0, 2), np.log2(found), 1)[0])


def test_wider_networks_move_less_but_in_mup_as_far(config: MakeConfig) -> None:
    standard, mup = (slope_of_movement(config, name) for name in ("standard", "mup"))
    print(f"slope of the hidden layer's movement: standard {standard:.2f}, mup {mup:.2f}")
    assert abs(mup) <= 0.2
    assert abs(mup) <= -standard / 3


def test_a_lazy_network_that_fits_its_examples_moves_as_far_at_every_width_from_64_units_on(config: MakeConfig) -> None:
    found = []
    for width in (0.5, 1.0, 4.0):
        for seed in range(3):
            data = Choice(
                name="teacher", options={"train_size": 20, "validation_size": 10, "test_size": 10, "seed": seed}
            )
            chosen = {"dataset": data, "batch_size": 20, "parametrization": "mup", "richness": 0.03}
            made = config(width=width, replicate=seed, **chosen)
            dataset = build_dataset(made, None)
            state = TrialState.fresh(made, dataset)
            for _ in range(150):
                train_epoch(made, dataset, state)
            first, last = (
                next(module.weight.detach() for _, module in each.maps())  # type: ignore[union-attr]
                for each in (drawn_network(made, dataset), state.network)
            )
            found.append(float((last - first).norm() / first.norm()))  # type: ignore[operator, union-attr]
    means = np.reshape(found, (3, 3)).mean(1)
    print(f"movement at γ = 0.03: {means}")
    assert means.max() / means.min() <= 1.25


def test_a_model_that_is_given_has_no_movement() -> None:
    found = autoreg.measure_model(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), torch.randn(9, 4))
    assert "movement" not in found.rows


def test_views_have_it_by_layer_and_beside_the_scores(
    tmp_path: Path, runs: Runs, trial: Callable[..., TrialFolder], sweep_record: Callable[..., dict[str, Any]]
) -> None:
    folder = trial()
    record, asked = sweep_record([folder]), add_movement(folder)
    write_record(runs, {**record, "sweep_measurements": [*record["sweep_measurements"], asked]})
    rebuild(tmp_path / "results.db", runs)
    with reading(tmp_path / "results.db") as connection:
        layers = query(connection, "select * exclude (sweep_id, trial_id, split) from movement_by_layer order by layer")
        scores = query(
            connection, "select test_accuracy, movement, spectral_movement, activation_change from movements"
        )
    assert layers.rows() == [
        ("conv", pytest.approx(math.sqrt(52) / 5), 3.0, 0.5, 0.0, 0.5),  # √((2·3)² + (1·4)²) / √(3² + 4²)
        ("full", 2.0, 4.0, 1.5, 0.0, 0.0),
        ("output", None, None, None, None, None),
    ]
    assert scores.rows() == [(0.5, pytest.approx((math.sqrt(52) / 5 + 2) / 2), 3.5, 1.0)]
