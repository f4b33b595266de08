"""Every packaged sweep runs end to end, and every figure that it names is drawn from its own rows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from autoreg.config.sweep_file import load_sweep
from autoreg.database.connection import query, reading
from autoreg.orchestrator.plan import Plan, make_plan
from autoreg.packaged import sweep_names
from autoreg.report.figure import read_figure
from autoreg.report.figures.source import find_figures
from autoreg.runs.folder import Runs
from tests.helpers.forked import run_forked
from tests.sweeps.tiny import TUNED, tiny_sweep

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with the trials of all sweeps, trained in one go.

    What a sweep measures besides what the first one does, it measures in its own run.
    """
    folder = tmp_path_factory.mktemp("sweeps")
    plans = [make_plan(load_sweep(tiny_sweep(name, folder))) for name in sweep_names()]
    groups = sorted((pair for plan in plans for pair in plan.groups), key=lambda pair: -pair[1])
    every = plans[0].sweep.model_copy(update={"name": "every_sweep", "figures": []})
    data = {dataset: fingerprint for plan in plans for dataset, fingerprint in plan.data.items()}
    together = replace(plans[0], sweep=every, groups=groups, data=data)
    run_forked(together, Runs(folder / "runs"), folder / "results.db")
    return folder


def run_whole(here: Path, file: Path, *overrides: str) -> Plan:
    """Run a sweep to its last row, and check that nothing of it is missing."""
    plan = make_plan(load_sweep(file, overrides))
    summary = run_forked(plan, Runs(here / "runs"), here / "results.db")
    assert (summary.problems, summary.unwritten) == ([], 0)
    assert summary.trained + summary.skipped == plan.sweep.final_count + plan.sweep.tuning_count
    return plan


def finals_of(here: Path, plan: Plan) -> pl.DataFrame:
    with reading(here / "results.db") as connection:
        sql = "select * from final_trials join final_trial_states using (sweep_id, trial_id) where sweep_id = $sweep_id"
        return query(connection, sql, sweep_id=plan.sweep.sweep_id)


def drawn(here: Path, plan: Plan) -> dict[str, pl.DataFrame]:
    """Draw every figure of a sweep, and return the rows behind each."""
    frames = {}
    for source in [source for name in plan.sweep.figures for source in find_figures(name)]:
        with reading(here / "results.db") as connection:
            rows = read_figure(connection, source, sweep=plan.sweep.sweep_id)
            paths = rows.write(here / "reports", ["png", "csv"])
            assert rows.missing == []
            assert all(path.stat().st_size > 0 for path in paths)
            frames[source.name] = pl.read_csv(paths[1], infer_schema_length=None)
    return frames


def points(frame: pl.DataFrame) -> set[tuple[Any, ...]]:
    """Series and width of each row; length and rate of a trial, which may be a figure's x axis, are off its series."""
    return set(frame.select(pl.col("series").str.replace(r", (\d+ epochs|η = \S+)$", ""), "width").iter_rows())


@pytest.mark.parametrize("name", sweep_names())
def test_a_packaged_sweep_runs_and_its_figures_show_all_its_series(here: Path, name: str) -> None:
    plan = run_whole(here, tiny_sweep(name, here))
    frames = drawn(here, plan)
    assert bool(frames) == bool(plan.sweep.figures)
    assert (plan.sweep.tuning_count > 0) == (name == TUNED)
    if plan.sweep.replicates == 0:
        settings = {(variant, group.template.width) for group, _ in plan.groups for variant in group.variants}
        assert all(points(frame) == settings for frame in frames.values())
        return
    finals = finals_of(here, plan)
    assert finals["state"].unique().to_list() == ["measured"]
    assert {group.template.network.name for group, _ in plan.groups} == {
        network.partition("(")[0] for network in finals["network"].to_list()
    }
    for frame in frames.values():
        shown = finals.filter(pl.col("network").is_in(frame["network"].unique().to_list()))
        assert points(frame) == points(shown)
        trials = {trial for cell in frame["trials"].to_list() for trial in cell.split()}
        assert trials == set(shown["trial_id"].to_list())
    assert {point for frame in frames.values() for point in points(frame)} == points(finals)


REAL_CIFAR10 = pytest.mark.real_images("cifar10")
REAL_IMAGENET = pytest.mark.real_images("imagenet_sample")


@pytest.mark.parametrize(
    ("name", "options", "networks"),
    [
        pytest.param("cifar_random_labels", {}, {"alexnet", "resnet56"}, marks=REAL_CIFAR10),
        pytest.param(
            "imagenet_batch_size",
            {"folder": "imagenet_sample", "test": "train", "size": 64},
            {"resnet18"},
            marks=REAL_IMAGENET,
        ),
    ],
)
def test_real_images_go_all_the_way_to_the_figures(
    tmp_path: Path, name: str, options: dict[str, Any], networks: set[str]
) -> None:
    plan = run_whole(tmp_path, tiny_sweep(name, tmp_path, options))
    assert {group.template.augmentation for group, _ in plan.groups} >= {True}
    assert {group.template.network.name for group, _ in plan.groups} == networks
    finals = finals_of(tmp_path, plan)
    assert finals["state"].unique().to_list() == ["measured"]
    assert {point for frame in drawn(tmp_path, plan).values() for point in points(frame)} == points(finals)
