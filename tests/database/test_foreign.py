"""Tables and views that a user has put into results.db are named, left alone, and kept when it is made again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner

from autoreg.cli.main import cli
from autoreg.config.trial import measurement_id
from autoreg.database import schema
from autoreg.database.verify import verify
from autoreg.database.writer import Writer, rebuild
from autoreg.errors import DatabaseError
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.measurements import write_measurement
from tests.helpers.database import contents
from tests.helpers.records import write_record

MakeTrial = Callable[..., TrialFolder]
OWN = """
    create table notes (trial_id varchar primary key, measurement_id varchar, "what I think" json default '{}');
    create view thoughts as select trial_id, test_accuracy from notes join trials using (trial_id);
    create schema mine;
    create table mine.trials as select 1 as mine;
"""


@pytest.fixture
def path(tmp_path: Path, runs: Runs, trial: MakeTrial, sweep_record: Callable[..., Any]) -> Path:
    """A results.db in which a user has notes."""
    folder, path = trial(), tmp_path / "results.db"
    write_record(runs, sweep_record([folder]))
    rebuild(path, runs)
    with duckdb.connect(str(path)) as connection:
        connection.execute(OWN)
        connection.execute("insert into notes values (?, 'none', '[1]'), ('x', null, null)", [folder.trial_id])
    return path


def notes(path: Path) -> list[Any]:
    with duckdb.connect(str(path), read_only=True) as connection:
        parts = ("notes order by trial_id", "thoughts", "mine.trials")
        return [connection.execute(f"from {part}").fetchall() for part in parts]


def test_verify_names_them_and_finds_nothing_wrong(path: Path, runs: Runs, tmp_path: Path) -> None:
    assert verify(path, runs) == []
    ended = CliRunner().invoke(cli, ["verify", "--db", str(path), "--runs", str(runs.root)])
    assert ended.exit_code == 0
    assert "what is not autoreg's is left alone: table notes, table mine.trials, view thoughts" in ended.stderr


def test_a_database_that_lost_its_version_is_made_again(path: Path, runs: Runs, trial: MakeTrial) -> None:
    folder = trial(replicate=1)
    identity = measurement_id("mine:own", 1, "test", {})
    facts = {"metric": "mine:own", "version": "1", "split": "test", "options": "{}"}
    frame = pl.DataFrame({"split": ["test"], "layer": ["conv"], "share": [0.5]})
    write_measurement(folder.measurement_path("mine:own", identity), frame, facts)
    assert rebuild(path, runs) == (2, [])
    with duckdb.connect(str(path)) as connection:
        connection.execute("delete from schema_info")
    assert rebuild(path, runs) == (2, [])


def test_rebuild_keeps_them_with_their_rows_and_keys(path: Path, runs: Runs) -> None:
    before, rows = notes(path), contents(path)
    assert len(before[0]) == 2
    assert len(before[1]) == 1
    for _ in range(2):
        assert rebuild(path, runs) == (1, [])
        assert (notes(path), contents(path)) == (before, rows)
    with duckdb.connect(str(path)) as connection, pytest.raises(duckdb.ConstraintException):
        connection.execute("insert into notes values ('x', null, null)")


def test_a_trial_that_was_trained_again_takes_no_note_along(path: Path, runs: Runs) -> None:
    before, [folder] = notes(path), runs.trials()
    folder.write_result(folder.read_result().model_copy(update={"finished_at": "2026-01-02T00:00:00+00:00"}))
    writer = Writer(path, runs)
    writer.queue_trial(folder)
    assert writer.commit()
    assert notes(path) == before


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("alter table trials add column note varchar", "column trials.note"),
        ("alter table ablation add column note varchar", "column ablation.note"),
        ("create macro half(x) as x / 2", "macro half"),
        ("create macro mine.wide(x) as table from trials where width > x", "macro mine.wide"),
        ("create type mood as enum ('good', 'bad')", "type mood"),
    ],
)
def test_what_cannot_be_kept_is_named_and_nothing_is_changed(path: Path, runs: Runs, sql: str, name: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)
    assert verify(path, runs) == []
    content = path.read_bytes()
    with pytest.raises(
        DatabaseError, match=f"has a {name}, which is not autoreg's and cannot be kept: DuckDB gives no SQL .*; move it"
    ):
        rebuild(path, runs)
    assert path.read_bytes() == content


#: What DuckDB gives the SQL of. Two of the comments are written as autoreg's own begin.
WITH_SQL = """
    create sequence places start 5;
    create table ranks (place integer default nextval('places'), trial_id varchar);
    insert into ranks (trial_id) values ('a'), ('b');
    create unique index rank on ranks (trial_id);
    create index fast on trials (width);
    comment on table ranks is 'who''s first';
    comment on column ranks.place is 'from 5';
    create view best as select trial_id as who from ranks;
    comment on view best is 'My own. grain: who';
    comment on column best.who is 'of the trial';
    create view first as from ranks;
    comment on view first is 'Rows of version 1 of my ranking';
"""


def test_rebuild_keeps_sequences_indexes_comments_and_whatever_else_duckdb_gives_the_sql_of(
    path: Path, runs: Runs
) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(WITH_SQL)
    before, comments = contents(path), own_comments(path)
    assert {comment for _, comment in comments} >= {"who's first", "from 5", "My own. grain: who", "of the trial"}
    for _ in range(2):
        rebuild(path, runs)
    assert (contents(path), own_comments(path)) == (before, comments)
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("from best order by who").fetchall() == [("a",), ("b",)]
        assert connection.execute("from first order by all").fetchall() == [(5, "a"), (6, "b")]
        connection.execute("insert into ranks (trial_id) values ('c')")
        assert connection.execute("from ranks where trial_id = 'c'").fetchall() == [(7, "c")]
        indexes = connection.execute("select index_name, table_name from duckdb_indexes() order by all").fetchall()
        assert indexes == [("fast", "trials"), ("rank", "ranks")]
        with pytest.raises(duckdb.ConstraintException):
            connection.execute("insert into ranks (trial_id) values ('a')")


def own_comments(path: Path) -> list[Any]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute("""
            select column_name as name, comment from duckdb_columns() where table_name in ('ranks', 'best', 'first')
            union all select table_name, comment from duckdb_tables() where table_name = 'ranks'
            union all select view_name, comment from duckdb_views() where view_name in ('best', 'first')
            order by all
        """).fetchall()


@pytest.mark.parametrize("own", ["table pack_mets_sp", "view pack_mets_sp", "table Pack_METS_sp", "table figure_b5"])
def test_what_bears_the_name_of_a_view_is_neither_read_nor_deleted(path: Path, runs: Runs, own: str) -> None:
    [folder], name = runs.trials(), own.split()[1]
    with duckdb.connect(str(path)) as connection:
        if name in schema.view_texts():
            connection.execute(f"drop view {name}")
        connection.execute(f"create {own} as select 7 as x")
    identity = measurement_id("pack.mets:sp", 1, "test", {})
    facts = {"metric": "pack.mets:sp", "version": "1", "split": "test", "options": "{}"}
    write_measurement(folder.measurement_path("pack.mets:sp", identity), pl.DataFrame({"value": [1.0]}), facts)
    content = path.read_bytes()
    with pytest.raises(DatabaseError, match=f"has a {own}, which is not autoreg's and cannot be kept: .*; move it"):
        rebuild(path, runs)
    assert path.read_bytes() == content
    writer = Writer(path, runs)
    writer.queue_trial(folder)
    assert writer.commit()
    if name not in schema.view_texts():
        assert f"results.db has a {own} that is not autoreg's where pack.mets:sp has its view" in writer.problems[0]
    with duckdb.connect(str(path)) as connection:
        assert connection.execute(f"from {name}").fetchall() == [(7,)]


def test_a_database_that_is_not_autoregs_is_not_replaced(runs: Runs, trial: MakeTrial, tmp_path: Path) -> None:
    trial()
    with duckdb.connect(str(tmp_path / "mine.db")) as connection:
        connection.execute("create table mine as select 1 as one")
    content = (tmp_path / "mine.db").read_bytes()
    with pytest.raises(DatabaseError, match="is not a results database"):
        rebuild(tmp_path / "mine.db", runs)
    assert (tmp_path / "mine.db").read_bytes() == content
