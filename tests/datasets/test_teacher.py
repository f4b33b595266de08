"""Teacher data: balanced, seeded, of any size."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from autoreg.config.sweep_file import load_sweep
from autoreg.config.trial import Choice, TrialConfig
from autoreg.datasets import Dataset, build_dataset, datasets
from autoreg.errors import ConfigError
from autoreg.orchestrator.plan import checked_sweep, make_plan
from autoreg.packaged import find_sweep
from autoreg.runs.folder import Runs
from tests.helpers.forked import run_forked


@pytest.mark.parametrize("dimensions", [1, 10, 1000])
def test_each_label_is_given_to_40_to_60_percent(dimensions: int) -> None:
    for seed in range(10):
        dataset = datasets["teacher"](None, dimensions=dimensions, train_size=500, seed=seed)
        labels = torch.cat([dataset.split(name).labels for name in ("train", "validation", "test")])
        assert 0.4 <= labels.float().mean().item() <= 0.6
        assert dataset.input_shape == (dimensions,)


def test_a_seed_makes_a_dataset_and_another_makes_another() -> None:
    first, again, other = (datasets["teacher"](None, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.train.inputs, again.train.inputs)
    assert torch.equal(first.test.labels, again.test.labels)
    assert not torch.equal(first.train.inputs, other.train.inputs)


def test_inputs_are_standard_normal() -> None:
    inputs = datasets["teacher"](None, train_size=5000).train.inputs
    assert inputs.mean().item() == pytest.approx(0, abs=0.02)
    assert inputs.std().item() == pytest.approx(1, abs=0.02)


def test_sizes_are_the_asked_ones() -> None:
    dataset = datasets["teacher"](None, train_size=7, validation_size=20, test_size=30)
    assert [len(dataset.split(name)) for name in ("train", "validation", "test")] == [7, 20, 30]


def test_data_too_small_to_balance_is_refused() -> None:
    with pytest.raises(ConfigError, match="no teacher out of 1000"):
        datasets["teacher"](None, train_size=1, validation_size=1, test_size=1)


def test_replicates_share_a_teacher_or_draw_their_own(config: Callable[..., TrialConfig]) -> None:
    def inputs_of(seed: int | str, replicate: int) -> Dataset:
        dataset = Choice(name="teacher", options={"dimensions": 3, "seed": seed})
        return build_dataset(config(dataset=dataset, replicate=replicate), None)

    for replicate in range(3):
        shared, own = inputs_of(5, replicate), inputs_of("replicate", replicate)
        assert torch.equal(shared.train.inputs, datasets["teacher"](None, dimensions=3, seed=5).train.inputs)
        made = datasets["teacher"](None, dimensions=3, seed=replicate)
        assert torch.equal(own.train.inputs, made.train.inputs)
        assert torch.equal(own.test.labels, made.test.labels)


def test_a_sweep_whose_replicates_draw_their_own_teacher_is_resumed(tmp_path: Path) -> None:
    overrides = [
        "grid.width=[1/4]",
        "grid.initializer=null",
        "tune=null",
        "training.epochs=1",
        "training.patience=null",
    ]
    plan = make_plan(load_sweep(find_sweep("mlp_10d_init"), overrides))
    runs, database = Runs(tmp_path / "runs"), tmp_path / "results.db"
    assert run_forked(plan, runs, database).trained == 3
    assert len({folder.read_result().environment["data"] for folder in runs.trials()}) == 3
    again = run_forked(make_plan(load_sweep(find_sweep("mlp_10d_init"), overrides)), runs, database)
    assert (again.trained, again.skipped, again.problems) == (0, 3, [])


@pytest.mark.parametrize(
    ("name", "sweep_id", "first"),
    [
        ("mlp_10d_init", "1736dc46f247c99d", "2cd61d63748ac623-r0"),
        ("mlp_10kd_init", "7963a8288e42b5f0", "fedc1dd846eff627-r0"),
        ("mlp_optimizers", "1ffbdae1a0e7b1bb", "f218612de57eeace-r0"),
    ],
)
def test_the_released_way_with_its_ids_is_one_override_away(name: str, sweep_id: str, first: str) -> None:
    by_replicate, released = (
        checked_sweep(load_sweep(find_sweep(name), overrides)) for overrides in ([], ["dataset.seed=0"])
    )
    assert (released.sweep_id, released.groups()[0].template.trial_id) == (sweep_id, first)
    assert {str(part.dataset.options["seed"]) for _, part in by_replicate.parts()} == {"replicate"}
