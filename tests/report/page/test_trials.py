"""The rows of the page: each trial in the series that has it, and of a search what the final trials took."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from autoreg.config.trial import measurement_id
from autoreg.database.connection import reading
from autoreg.database.writer import rebuild
from autoreg.orchestrator.plan import make_plan
from autoreg.report.page.trials import configurations, read_trials, scores_of
from autoreg.runs.folder import Runs, TrialFolder
from tests.helpers.records import write_record
from tests.helpers.searching import end, next_of

Trials = Callable[..., pl.DataFrame]


@pytest.fixture
def trials(small: Any, finish: Any, runs: Runs, tmp_path: Path) -> Trials:
    """The small sweep's trials on the page, with overrides, as if all had been trained."""

    def read(*overrides: str) -> pl.DataFrame:
        plan = make_plan(small(*overrides))
        schedule = plan.schedule(runs)
        while job := next_of(schedule, runs):
            finish(job.config)
            end(schedule, job.config, runs)
        runs.write_sweep(plan.record(schedule.planned()))
        rebuild(tmp_path / "results.db", runs)
        with reading(tmp_path / "results.db") as connection:
            return read_trials(connection, plan.sweep.sweep_id)

    return read


def test_a_trial_is_in_the_series_of_its_own_k_and_length(trials: Trials) -> None:
    rows = trials("tune=null", "grid.lr_batch_factor=[1/2, 1]", "grid.epochs=[1, 3]")
    own = pl.concat_str(
        pl.format("k = {}", pl.col("config").str.json_path_match("$.lr_batch_factor").str.strip_suffix(".0")),
        pl.format("{} epochs", pl.col("config").str.json_path_match("$.epochs")),
        separator=", ",
    )
    assert rows.height == rows["id"].n_unique() == 2 * 2 * 2 * 2
    assert rows.filter(pl.col("series") != own).is_empty()


def test_a_search_is_in_every_series_that_trains_with_what_it_found_and_says_what_that_is(trials: Trials) -> None:
    rows = trials("grid.lr_batch_factor=[1/2, 1]", "replicates=1")
    tuning = rows.filter(kind="tune")
    assert tuning.group_by("series").len().sort("series").rows() == [("k = 0.5", 10), ("k = 1", 10)]
    for (width, _), search in tuning.partition_by("width", "series", as_dict=True).items():
        [rate] = rows.filter(kind="final", width=width, series="k = 1")["rate"]
        assert search.filter("taken")["rate"].unique().to_list() == [rate]
        assert search.filter("taken")["validation"].max() == search["validation"].max()


def test_without_a_test_split_that_of_validation_comes_first(
    trial: Callable[..., TrialFolder], sweep_record: Any, runs: Runs, tmp_path: Path
) -> None:
    made = trial()
    record = sweep_record([made])
    asked, record["sweep_measurements"] = record["sweep_measurements"], []
    for split in ("train", "validation"):
        for one in asked:
            new = {**one, "split": split, "measurement_id": measurement_id(one["metric"], 1, split, {})}
            facts = {"metric": one["metric"], "version": "1", "split": split, "options": "{}"}
            frame = pl.read_parquet(made.measurement_path(one["metric"], one["measurement_id"]))
            path = made.measurement_path(one["metric"], new["measurement_id"])
            frame.with_columns(split=pl.lit(split)).write_parquet(path, metadata=facts)
            record["sweep_measurements"].append(new)
    write_record(runs, record)
    rebuild(tmp_path / "results.db", runs)
    with reading(tmp_path / "results.db") as connection:
        scores = scores_of(connection, record["sweep_id"], read_trials(connection, record["sweep_id"]))
    assert {tuple(splits) for splits in scores.values()} == {("validation", "train")}


def test_what_a_configuration_lacks_is_not_taken_from_the_first(trials: Trials) -> None:
    texts = trials("tune=null", "grid.parametrization=[mup, standard]")["config"].to_list()
    told = configurations(texts)
    whole = [{**told["first"], **told["of"][place]} for place in told["at"]]
    assert [{key: value for key, value in config.items() if value is not None} for config in whole] == [
        {key: value for key, value in json.loads(text).items() if value is not None} for text in texts
    ]
