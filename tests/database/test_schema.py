"""results.db explains itself: views stand in the file, each table, column and view with what it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner

from autoreg.cli.main import cli
from autoreg.config.trial import Choice
from autoreg.database import connection as databases
from autoreg.database.connection import in_memory, query, reading
from autoreg.database.schema import REFERENCE_TABLES, view_texts
from autoreg.database.verify import verify
from autoreg.database.writer import rebuild
from autoreg.metrics import metrics
from autoreg.networks.initializers import initializers
from autoreg.packaged import packaged_folder
from autoreg.report.figures.style import COLOURS, CONDITIONS
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.training.optimizers import optimizers
from tests.helpers.records import write_record

MakeTrial = Callable[..., TrialFolder]


@pytest.fixture
def path(tmp_path: Path, runs: Runs, trial: MakeTrial, sweep_record: Callable[..., Any]) -> Path:
    write_record(runs, sweep_record([trial()], ["6"]))
    rebuild(tmp_path / "results.db", runs)
    return tmp_path / "results.db"


def temporary_views(connection: duckdb.DuckDBPyConnection) -> int:
    return query(connection, "select count(*) as n from duckdb_views() where temporary and not internal")["n"][0]


def test_every_table_column_and_view_says_what_it_is(path: Path) -> None:
    with reading(path) as connection:
        views = query(connection, "select view_name, comment from duckdb_views() where not internal")
        tables = query(connection, "select table_name, comment from duckdb_tables()")
        columns = query(
            connection,
            "select table_name, column_name, comment from duckdb_columns() where not internal",
        )
    assert set(views["view_name"]) == set(view_texts())
    assert {"trials", "ablation", "units", *REFERENCE_TABLES} <= set(tables["table_name"])
    assert set(columns["table_name"]) == {*views["view_name"], *tables["table_name"]}
    for frame in (views, tables, columns):
        assert frame.filter(pl.col("comment").fill_null("") == "").rows() == []
    figure = views.filter(view_name="figure_6")["comment"][0]
    assert figure.endswith("of AlexNet by initializer. grain: sweep_id, definition, split, series, width")
    meanings = {(table, column): comment for table, column, comment in columns.rows()}
    assert meanings["units", "similar_units"].startswith("how many other")
    assert meanings["figure_6", "lr_batch_factor"] == meanings["trials", "lr_batch_factor"]  # as where it comes from
    assert meanings["figure_6", "definition"] == "text or released"  # and not as the column of that name of sweeps
    assert meanings["figure_6", "similar_units"] == "mean over units and replicates"


def test_the_views_in_a_file_of_this_version_are_not_made_again(path: Path) -> None:
    with reading(path) as connection:
        assert temporary_views(connection) == 0


@pytest.mark.parametrize(
    "change", ["update schema_info set views_hash = 'another'", "drop view figure_6", "drop table labels"]
)
def test_a_file_with_other_views_is_read_with_this_versions(path: Path, change: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("create or replace view auc as select 'another version' as text")
        connection.execute(change)
    with reading(path) as connection:
        assert temporary_views(connection) == len(view_texts())
        assert query(connection, "from auc").height > 0
        assert "auc" in query(connection, "from auc").columns
        assert query(connection, "from figure_6").height > 0


def test_a_view_that_was_planted_under_the_right_hash_is_named_by_verify(path: Path, runs: Runs) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("create or replace view latest_sweeps as select name, sweep_id from sweeps where false")
    assert verify(path, runs) == ["view latest_sweeps: it is not autoreg's"]
    rebuild(path, runs)
    assert verify(path, runs) == []


def test_a_changed_row_of_a_table_of_reference_is_named_by_verify(path: Path, runs: Runs) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("update labels set label = 'He Norm' where name = 'glorot_normal'")
    [line] = verify(path, runs)
    assert line.startswith("table labels: its rows are not autoreg's")
    rebuild(path, runs)
    assert verify(path, runs) == []


def test_every_view_can_be_made_in_an_empty_database() -> None:
    with in_memory() as connection:
        for name in view_texts():
            query(connection, f"from {name}")


def test_every_metric_has_its_tables_beside_it() -> None:
    assert {path.stem for path in packaged_folder("metrics").glob("*.sql")} == set(metrics)


def test_every_label_that_a_registry_can_produce_has_its_look() -> None:
    labels = pl.read_csv(packaged_folder("reference") / "labels.csv")
    names = {kind: set(rows["name"]) for (kind,), rows in labels.group_by("kind")}
    assert set(initializers) - {"normal"} == {name for name in names["initializer"] if "(" not in name}
    assert set(optimizers) == names["optimizer"]
    combined = labels.filter(kind="regularizer").filter(pl.col("label").str.contains(" + ", literal=True))
    assert set(labels["label"]) - set(combined["label"]) == set(CONDITIONS)
    assert set(CONDITIONS.values()) <= set(range(len(COLOURS)))


def test_the_definition_follows_the_network_and_not_the_datasets_name(
    tmp_path: Path, runs: Runs, trial: MakeTrial, sweep_record: Callable[..., Any]
) -> None:
    scopes = {"mlp": "network", "resnet56": "network", "resnet18": "layer"}
    folders = [trial(network=Choice(name=name), dataset=Choice(name="image_folder")) for name in scopes]
    folders += [trial(network=Choice(name="alexnet"), dataset=Choice(name="imagenet"))]
    write_record(runs, sweep_record(folders))
    rebuild(tmp_path / "results.db", runs)
    sql = """
        select distinct network, scope
        from ablation_curves join final_trials using (sweep_id, trial_id) where definition = 'released'
    """
    with reading(tmp_path / "results.db") as connection:
        assert dict(query(connection, sql).rows()) == scopes | {"alexnet": "network"}


def test_a_page_is_made_with_one_connection(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    connect = databases.connect
    monkeypatch.setattr(databases, "connect", lambda *place, **how: opened.append(place) or connect(*place, **how))
    for words in (["--html"], ["--all"]):
        CliRunner().invoke(cli, ["report", *words, "--db", str(path), "--out", str(tmp_path)], catch_exceptions=False)
        assert len(opened) == 1
        opened.clear()
