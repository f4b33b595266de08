"""`autoreg export` to other programs: what stands there is what results.db has, and it stands there once."""

import json
import struct
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest
from click.testing import CliRunner

from autoreg.cli.main import cli
from autoreg.database.connection import query, reading
from autoreg.errors import ConfigError, DataError
from autoreg.report.export import Source, exporters
from autoreg.report.export.exporter import optional
from autoreg.report.export.trials import FinishedTrial, finished_trials


@pytest.fixture
def database(fill_in: Callable[..., Path], tmp_path: Path) -> Path:
    return fill_in(tmp_path)


def rows(database: Path, sql: str) -> list[dict[str, Any]]:
    with reading(database) as connection:
        return query(connection, sql).to_dicts()


def write(name: str, database: Path, target: object, **more: Any) -> list[str]:
    return list(exporters[name](Source(database, database.parent / "runs", **more), str(target)))


def test_every_exporter_is_an_option_of_the_command() -> None:
    assert isinstance(cli, click.Group)
    options = {option for parameter in cli.commands["export"].params for option in parameter.opts}
    assert set(exporters) == {"mlflow", "optuna", "tensorboard", "wandb"}
    assert {f"--{name}" for name in exporters} <= options


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ([], "say what to write: FOLDER for tables, or some of --mlflow, --optuna, --tensorboard, --wandb"),
        (["--optuna", "a.db", "--views"], "--format, --views and --raw are for tables"),
        (["tables", "--sweep", "fixture"], "--sweep and --definition are not for tables"),
    ],
)
def test_a_wrong_command_is_answered_in_one_line(words: list[str], answer: str) -> None:
    ended = CliRunner().invoke(cli, ["export", *words])
    assert isinstance(ended.exception, ConfigError)
    assert answer in str(ended.exception)


def test_an_export_of_nothing_says_so(database: Path) -> None:
    with closing(duckdb.connect(database)) as connection:
        connection.execute("delete from sweep_trials")
    words = ["export", "--tensorboard", "curves", "--db", str(database)]
    ended = CliRunner().invoke(cli, words)
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert ended.stderr == "--tensorboard: no trial has ended yet, so that nothing is written\n"


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, database: Path) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ConfigError, match=r"^--tensorboard needs tensorboardX, .* pip install tensorboardX, or auto"):
        write("tensorboard", database, database.parent / "curves")
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ConfigError, match="--mlflow needs mlflow-skinny, which is not installed"):
        write("mlflow", database, "sqlite:///nowhere.db")
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ConfigError, match="--wandb needs wandb, which is not installed"):
        write("wandb", database, "runs/project")
    with pytest.raises(ConfigError, match=r"--wandb is FOLDER/PROJECT, .*, got 'project'$"):
        write("wandb", database, "project")
    monkeypatch.setitem(sys.modules, "lacking", None)
    with pytest.raises(ModuleNotFoundError), optional("wandb", "wandb", "wandb"):
        import lacking  # noqa: F401  # is what an installed one needs


@pytest.mark.parametrize("definition", ["released", "text"])
def test_a_finished_trial_has_the_numbers_of_the_database(database: Path, definition: str) -> None:
    [trials] = finished_trials(database, definition=definition)
    scores = {row["trial_id"]: row for row in rows(database, f"from trial_scores where definition = '{definition}'")}
    stored = {row["trial_id"]: row for row in rows(database, "from trials")}
    assert {trial.trial_id for trial in trials} == set(stored)
    assert len({trial.name for trial in trials}) == len(trials) == 8
    for trial in trials:
        row, scored = stored[trial.trial_id], scores[trial.trial_id]
        assert trial.name.startswith(
            f"mlp {'1/4' if row['width'] == 0.25 else '1'}x {row['initializer']} r{row['replicate']} "
        )
        assert trial.scores["test_accuracy"] == row["test_accuracy"]
        measured = {"test_auc", "test_similar_units", "test_dead_share"}
        assert set(trial.scores) == {"train_accuracy", "validation_accuracy", "test_accuracy"} | measured
        for score in ("auc", "similar_units", "dead_share"):
            assert trial.scores[f"test_{score}"] == pytest.approx(scored[score], rel=1e-11)
        assert list(trial.epochs) == [1]
        assert trial.epochs[1]["train_loss"] == 1.0
        assert "validation_loss" not in trial.epochs[1]
        assert trial.settings["learning_rate"] == row["learning_rate"]
        assert trial.settings["schedule"] == "constant"
        assert "patience" not in trial.settings


def test_an_unknown_sweep_is_answered_with_the_known_ones(database: Path) -> None:
    with pytest.raises(ConfigError, match=r"no sweep 'fixtur' in .*; did you mean 'fixture'\?"):
        list(finished_trials(database, "fixtur"))
    assert [len(trials) for trials in finished_trials(database, "0123456789abcdef")] == [8]


def test_only_the_latest_sweep_of_a_name_is_taken_unless_an_id_asks(
    fill_in: Callable[..., Path], tmp_path: Path
) -> None:
    database = fill_in(tmp_path)
    fill_in(tmp_path, sweep_id="fedcba9876543210", updated_at="2026-02-01T00:00:00+00:00")

    def ids(sweep: str | None) -> list[str]:
        return [trials[0].sweep_id for trials in finished_trials(database, sweep)]

    assert ids(None) == ids("fixture") == ["fedcba9876543210"]
    assert ids("0123456789abcdef") == ["0123456789abcdef"]


def events(path: Path) -> list[Any]:
    """Read an event file as TensorBoard does: length, its checksum, the event, its checksum."""
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.record_writer import masked_crc32c

    found, content = [], path.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        body = content[12 : 12 + length]
        sums = struct.unpack("<I", content[8:12]) + struct.unpack("<I", content[12 + length : 16 + length])
        assert sums == (masked_crc32c(content[:8]), masked_crc32c(body))
        found.append(Event.FromString(body))
        content = content[16 + length :]
    return found


def scalars(path: Path) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for event in events(path):
        for value in event.summary.value:
            if value.WhichOneof("value") == "simple_value":
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_tensorboard_gets_curves_scores_and_settings(database: Path, tmp_path: Path) -> None:
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

    folder = tmp_path / "curves"
    assert write("tensorboard", database, folder) == [f"{folder}  fixture: 8 runs, 8 of them written now"]
    [trials] = finished_trials(database)
    paths = {path.name.removeprefix("events.out.tfevents."): path for path in folder.rglob("events.*")}
    assert set(paths) == {trial.trial_id for trial in trials}
    for trial in trials:
        found = scalars(paths[trial.trial_id])
        assert found["loss/train"] == [(1, 1.0)]
        assert found["accuracy/validation"] == [(1, pytest.approx(0.6))]
        assert "loss/validation" not in found  # it was not finite
        for name, value in trial.scores.items():
            assert found[f"scores/{name}"] == [(1, pytest.approx(value, rel=1e-6))], name
        [start] = [
            HParamsPluginData.FromString(value.metadata.plugin_data.content).session_start_info
            for event in events(paths[trial.trial_id])
            for value in event.summary.value
            if value.tag == "_hparams_/session_start_info"
        ]
        assert start.hparams["width"].number_value == trial.settings["width"]
        assert start.hparams["initializer"].string_value == trial.settings["initializer"]


def test_tensorboard_finds_a_trial_once_however_often_it_is_exported(database: Path, tmp_path: Path) -> None:
    def state() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in (tmp_path / "curves").rglob("*") if path.is_file()}

    write("tensorboard", database, tmp_path / "curves")
    before = state()
    write("tensorboard", database, tmp_path / "curves", sweep="fixture")
    assert state() == before
    write("tensorboard", database, tmp_path / "curves", definition="text")
    assert set(state()) == set(before)
    assert all(scalars(path)["scores/test_auc"] for path in state())
    assert state() != before
    for path in state():  # the sweep had fewer axes then, and its trials shorter names
        path.parent.rename(path.parent.with_name(f"short {path.name[-5:]}"))
    write("tensorboard", database, tmp_path / "curves", definition="text")
    assert set(state()) == set(before)
    assert not list((tmp_path / "curves").rglob("short*"))


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    tracking = pytest.importorskip("mlflow.tracking", reason="needs the extra mlflow")
    return tracking.MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")


def runs_of(client: Any) -> dict[str, Any]:
    found = client.search_runs([client.get_experiment_by_name("fixture").experiment_id])
    by_trial = {run.data.tags["autoreg.trial_id"]: run for run in found}
    assert len(by_trial) == len(found)  # none stands there twice
    return by_trial


@pytest.mark.filterwarnings("ignore")  # of MLflow's own
def test_mlflow_gets_each_trial_once(database: Path, tmp_path: Path, client: Any) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert write("mlflow", database, uri) == [f"{uri}  fixture: 8 runs, 8 of them written now"]
    [trials] = finished_trials(database)
    found = runs_of(client)
    assert set(found) == {trial.trial_id for trial in trials}
    for trial in trials:
        check_run(client, found[trial.trial_id], trial)
    assert write("mlflow", database, uri) == [f"{uri}  fixture: 8 runs, 0 of them written now"]
    half = next(iter(found.values()))
    client.delete_tag(half.info.run_id, "autoreg.content")  # as after a kill
    assert write("mlflow", database, uri) == [f"{uri}  fixture: 8 runs, 1 of them written now"]
    assert set(runs_of(client)) == set(found)
    assert write("mlflow", database, uri, definition="text") == [f"{uri}  fixture: 8 runs, 8 of them written now"]
    assert {run.data.tags["autoreg.definition"] for run in runs_of(client).values()} == {"text"}


def check_run(client: Any, run: Any, trial: FinishedTrial) -> None:
    assert run.info.run_name == trial.name
    assert run.data.params == {name: str(value) for name, value in trial.settings.items()}
    for name, value in trial.scores.items():
        assert run.data.metrics[f"final_{name}"] == value
    history = client.get_metric_history(run.info.run_id, "validation_accuracy")
    assert [(point.step, point.value) for point in history] == [(1, 0.6)]
    assert "validation_loss" not in run.data.metrics


@pytest.mark.filterwarnings("ignore")
def test_what_mlflow_refuses_is_said(database: Path, client: Any) -> None:
    with pytest.raises(DataError, match="MLflow at nosuch://place: "):
        write("mlflow", database, "nosuch://place")


def wandb_records(path: Path) -> list[Any]:
    """Read a run's file: after 7 bytes, parts of records in blocks of 32 KiB, as LevelDB's log has them."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, place, part, found = path.read_bytes(), 7, b"", []
    while place + 7 <= len(content):
        if 32768 - place % 32768 < 7:
            place += 32768 - place % 32768
            continue
        length, kind = struct.unpack("<HB", content[place + 4 : place + 7])
        part += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            found.append(Record.FromString(part))
            part = b""
    return found


@pytest.mark.filterwarnings("ignore")  # of wandb's own
def test_wandb_gets_each_trial_once(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="needs the extra wandb")
    target = tmp_path / "offline" / "widths"
    line = f"{tmp_path / 'offline' / 'wandb'}  fixture: 8 runs, {{}} of them written now"
    assert write("wandb", database, target) == [line.format(8)]
    [trials] = finished_trials(database)
    for trial in trials:
        [path] = (tmp_path / "offline").rglob(f"run-{trial.trial_id}-*.wandb")
        records = wandb_records(path)
        [started, *_] = [record.run for record in records if record.HasField("run")]
        assert (started.project, started.run_group, started.display_name) == ("widths", "fixture", trial.name)
        config = {item.key: json.loads(item.value_json) for item in started.config.update}
        assert {name: config[name] for name in trial.settings} == trial.settings
        [epoch] = [
            {key: json.loads(item.value_json) for item in record.history.item for key in item.nested_key or [item.key]}
            for record in records
            if record.HasField("history")
        ]
        assert (epoch["validation_accuracy"], epoch["_step"], "validation_loss" in epoch) == (0.6, 1, False)
        summary = {
            key: json.loads(item.value_json)
            for record in records
            if record.HasField("summary")
            for item in record.summary.update
            for key in item.nested_key or [item.key]
        }
        assert {name: summary[f"final_{name}"] for name in trial.scores} == trial.scores
    assert write("wandb", database, target) == [line.format(0)]
    next((tmp_path / "offline").rglob("autoreg.txt")).unlink()  # as after a kill
    assert write("wandb", database, target) == [line.format(1)]
    assert write("wandb", database, target, definition="text") == [line.format(8)]
    assert len(list((tmp_path / "offline").rglob("*.wandb"))) == 8


def test_a_name_of_a_strangers_sweep_leads_tensorboard_to_no_other_folder(database: Path, tmp_path: Path) -> None:
    connection = duckdb.connect(str(database))
    connection.execute("update sweeps set name = '../../x'")
    connection.close()
    folder = tmp_path / "a" / "b" / "curves"
    write("tensorboard", database, folder)
    assert len([*folder.rglob("events.*")]) == len([*tmp_path.rglob("events.*")]) == 8
