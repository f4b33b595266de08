"""Rates and richness as axes: the rows of figures Transfer and Phase, worked out by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from autoreg.database.connection import query, reading
from autoreg.database.writer import rebuild
from autoreg.runs.folder import Runs, TrialFolder
from tests.conftest import COMPRESSED
from tests.helpers.records import add_movement, plant_result, write_record

MakeTrial = Callable[..., TrialFolder]
Record = Callable[..., dict[str, Any]]


def figure(folder: Path, runs: Runs, record: dict[str, Any], name: str) -> pl.DataFrame:
    write_record(runs, record)
    rebuild(folder / "results.db", runs)
    with reading(folder / "results.db") as connection:
        return query(connection, f"select * from figure_{name} order by series, width").drop("trials")


def test_the_best_rate_is_each_replicates_own_and_no_diverged_trial_is_it(
    tmp_path: Path, runs: Runs, trial: MakeTrial, sweep_record: Record
) -> None:
    losses = {(0.1, 0): 0.4, (0.1, 1): 0.1, (0.4, 0): 0.2, (0.4, 1): 0.2, (1.6, 0): 0.01, (1.6, 1): 0.3}
    folders = []
    for (rate, replicate), loss in losses.items():
        folders.append(trial(learning_rate=rate, replicate=replicate))
        result = folders[-1].read_result().model_dump(mode="json")
        epochs = [{**result["epochs"][0], "epoch": n, "train_loss": loss / n} for n in (1, 2)]
        status = {"status": "diverged"} if (rate, replicate) == (1.6, 0) else {}
        plant_result(folders[-1], epochs=epochs, epochs_run=2, **status)
    frame = figure(tmp_path, runs, sweep_record(folders, ["Transfer"]), "transfer").sort("learning_rate")
    assert frame["series"].unique().to_list() == ["He Norm"], "the rate is an axis of the figure, and names no series"
    assert frame.select("learning_rate", "train_loss", "replicates").rows() == [
        (0.1, pytest.approx(0.1), 2), (0.4, pytest.approx(0.1), 2), (1.6, None, 2),
    ]  # fmt: skip
    best = frame.select("best_rate", "best_low", "best_high").unique().rows()
    assert best == [(pytest.approx(0.2), 0.1, 0.4)], "√(0.1 · 0.4)"


def test_a_sweep_that_is_not_done_mixes_no_rates_and_calls_none_the_best(
    tmp_path: Path, runs: Runs, trial: MakeTrial, sweep_record: Record
) -> None:
    done = [trial(width=width, learning_rate=rate) for width, rate in ((0.25, 0.1), (1.0, 0.2))]
    both = [trial(width=4.0, learning_rate=rate) for rate in (0.1, 0.2)]
    frame = figure(tmp_path, runs, sweep_record([*done, *both], ["Transfer"]), "transfer")
    with reading(tmp_path / "results.db") as connection:
        named = query(connection, "select width, series from final_trials order by all").rows()
    assert named == [(0.25, "η = 0.1"), (1.0, "η = 0.2"), (4.0, "η = 0.1"), (4.0, "η = 0.2")]
    best = frame.group_by("width").agg(pl.col("best_rate").first()).sort("width")
    assert best["best_rate"].is_null().to_list() == [True, True, False]


def test_a_series_of_several_rates_keeps_what_else_names_it(
    tmp_path: Path, runs: Runs, trial: MakeTrial, sweep_record: Record
) -> None:
    folders = [trial(learning_rate=rate, lr_batch_factor=k) for rate in (0.1, 0.2) for k in (1.0, 2.0)]
    frame = figure(tmp_path, runs, sweep_record(folders, ["Transfer"]), "transfer")
    assert set(frame["series"]) == {"k = 1", "k = 2"}


def test_phase_has_movement_and_compressed_width_beside_the_scores(
    tmp_path: Path, runs: Runs, trial: MakeTrial, sweep_record: Record
) -> None:
    folders = [
        trial(richness=gamma, parametrization="mup", replicate=replicate, compressed=COMPRESSED)
        for gamma in (0.1, 10.0) for replicate in (0, 1)
    ]  # fmt: skip
    asked = [add_movement(folder) for folder in folders]
    record = sweep_record(folders, ["Phase"])
    record["sweep_measurements"].append(asked[0])
    frame = figure(tmp_path, runs, record, "phase").filter(definition="released")
    shown = frame.select("series", "parametrization", "richness", "width", "compressed_width", "movement", "replicates")
    # rebuild keeps 1 of 2 units in both layers; conv and full moved by √52 / 5 and 2
    moved = pytest.approx((52**0.5 / 5 + 2) / 2)
    assert shown.rows() == [
        (f"γ = {gamma:g}", "mup", gamma, 0.25, 0.125, moved, 2) for gamma in (0.1, 10.0)
    ]  # fmt: skip
