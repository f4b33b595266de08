"""A results.db of an older version is brought up to date by the next writer, and keeps its rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from autoreg.database.connection import STORAGE, query, reading
from autoreg.database.schema import MIGRATIONS, SCHEMA_VERSION, view_texts
from autoreg.database.writer import Writer, rebuild
from autoreg.errors import DatabaseError
from autoreg.runs.folder import Runs, TrialFolder
from tests.helpers.database import contents
from tests.helpers.records import write_record

MakeTrial = Callable[..., TrialFolder]
#: The tables of version 1, word for word.
VERSION_1 = """\
create table schema_info (
    schema_version integer not null, views_hash varchar
);
create table sweeps (
    sweep_id varchar not null, name varchar not null, figures varchar[] not null, definition json not null,
    updated_at timestamp not null
);
create table sweep_trials (
    sweep_id varchar not null, trial_id varchar not null, group_id varchar not null, kind varchar not null
);
create table sweep_measurements (
    sweep_id varchar not null, metric varchar not null, split varchar not null, measurement_id varchar not null
);
create table trials (
    trial_id varchar primary key, config_id varchar not null, kind varchar not null, network varchar not null,
    dataset varchar not null, width double not null, initializer varchar not null, optimizer varchar not null,
    augmentation boolean not null, dropout double not null, weight_decay double not null,
    random_labels boolean not null, learning_rate double not null, batch_size integer not null,
    lr_batch_factor double not null, replicate integer not null, status varchar not null, parameters bigint,
    epochs_run integer not null, best_epoch integer, train_accuracy double, validation_accuracy double,
    test_accuracy double, seconds double not null, device varchar, error varchar, config json not null,
    environment json not null, finished_at timestamp not null
);
create table epochs (
    trial_id varchar not null, epoch integer not null, learning_rate double not null, train_loss double,
    train_accuracy double not null, validation_loss double, validation_accuracy double not null,
    seconds double not null
);
create table layers (
    trial_id varchar not null, layer_index integer not null, layer varchar not null, units integer not null,
    positions integer not null
);
create table measurements (
    trial_id varchar not null, measurement_id varchar not null, metric varchar not null, version integer not null,
    split varchar not null, options json not null
);
create table ablation (
    trial_id varchar not null, measurement_id varchar not null, split varchar not null, scope varchar not null,
    granularity varchar not null, layer varchar, sample integer not null, fraction double not null,
    unchanged double not null, accuracy double not null
);
create table correlations (
    trial_id varchar not null, measurement_id varchar not null, split varchar not null, layer varchar not null,
    sample integer not null, bin_low double not null, bin_high double not null, pairs bigint not null
);
create table units (
    trial_id varchar not null, measurement_id varchar not null, split varchar not null, layer varchar not null,
    sample integer not null, unit integer not null, "similar" integer, strongest float, dead boolean not null
);
insert into schema_info values (1, 'some views');
create view figure_6 as select trial_id from trials;
"""


#: What version 2 has that version 1 has not.
VERSION_2 = """\
create table sweep_groups (
    sweep_id varchar not null, group_id varchar not null, variant varchar, network varchar not null,
    dataset varchar not null, width double not null, epochs integer not null, parameters bigint not null
);
create table published as select '1' as figure, 0.25 as width, 'top1_accuracy_pct' as metric, 49.385 as value;
create view areas as select 'trial' as curve;
update schema_info set schema_version = 2;
"""


@pytest.fixture(params=[VERSION_1, VERSION_1 + VERSION_2], ids=["version 1", "version 2"])
def old(
    request: pytest.FixtureRequest, tmp_path: Path, runs: Runs, trial: MakeTrial, sweep_record: Callable[..., Any]
) -> Path:
    """A database of an older version with a trial and its sweep, whose run folder is beside it."""
    folders = [trial(replicate=replicate) for replicate in range(2)]
    write_record(runs, sweep_record(folders))
    path, new = tmp_path / "results.db", tmp_path / "new.db"
    rebuild(new, runs)
    with duckdb.connect(str(path), config={"storage_compatibility_version": STORAGE}) as connection:
        connection.execute(request.param)
        connection.execute(f"attach '{new}' as new (read_only)")
        for table in OLD_TABLES:
            columns = NOW_OTHERWISE.get(table, "*")
            connection.execute(f"insert into {table} by name select {columns} from new.{table}")
    return path


OLD_TABLES = (
    "sweeps", "sweep_trials", "sweep_measurements", "trials", "epochs", "layers", "measurements", "ablation",
    "correlations", "units",
)  # fmt: skip
#: Columns that have another name now, or are new.
NOW_OTHERWISE = {"units": '* rename (similar_units as "similar")', "measurements": "* exclude (digest)"}


def test_every_version_has_its_migration() -> None:
    assert list(MIGRATIONS) == list(range(2, SCHEMA_VERSION + 1))


def test_an_old_database_is_not_read_but_the_reader_says_what_to_do(old: Path) -> None:
    with (
        pytest.raises(DatabaseError, match=r"was made by an older autoreg; `autoreg rebuild` brings it up to date"),
        reading(old),
    ):
        pass


def test_the_next_writer_migrates_an_old_database_and_keeps_its_rows(old: Path, runs: Runs, trial: MakeTrial) -> None:
    with duckdb.connect(str(old), read_only=True) as connection:
        before = {table: connection.execute(f"select * from {table}").fetchall() for table in OLD_TABLES}
        before["measurements"] = [(*row, None) for row in before["measurements"]]
    writer = Writer(old, runs)
    writer.queue_trial(runs.trials()[0])
    assert writer.commit()
    assert contents(old) == {table: sorted(rows, key=repr) for table, rows in before.items()}
    with reading(old) as connection:
        assert query(connection, "select schema_version from schema_info").rows() == [(SCHEMA_VERSION,)]
        assert query(connection, "select * from sweep_groups").height == 0
        views = query(connection, "select view_name from duckdb_views() where not internal")
        assert set(views["view_name"]) == set(view_texts())
        assert query(connection, "select * from published_points").height > 1000
    writer.queue_sweep("0123456789abcdef")
    assert writer.commit()
    with reading(old) as connection:
        assert query(connection, "select variant, network, width from sweep_groups").rows() == [(None, "mlp", 0.25)]
        assert query(connection, "select count(*) as n from final_trials")["n"][0] == 2


def test_rebuild_brings_an_old_database_up_to_date(old: Path, runs: Runs) -> None:
    assert rebuild(old, runs) == (2, [])
    with reading(old) as connection:
        assert query(connection, "select count(*) as n from sweep_groups")["n"][0] == 1


def test_a_migrated_database_has_the_tables_of_a_new_one(old: Path, runs: Runs, tmp_path: Path) -> None:
    writer = Writer(old, runs)
    writer.queue_trial(runs.trials()[0])
    assert writer.commit()
    columns = []
    for path in (old, tmp_path / "new.db"):
        with duckdb.connect(str(path), read_only=True) as connection:
            sql = "select table_name, column_name, data_type, is_nullable from duckdb_columns() where not internal"
            columns.append(sorted(connection.execute(sql).fetchall()))
    assert columns[0] == columns[1]
