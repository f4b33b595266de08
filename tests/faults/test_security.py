"""Nothing that is found on disk is executed, and nothing is written or read outside the folders that were named."""

import json
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from autoreg.config.trial import Choice, TrialConfig
from autoreg.database.connection import reading
from autoreg.database.queries import sweep_status
from autoreg.database.writer import rebuild
from autoreg.datasets import build_dataset
from autoreg.errors import ConfigError, DataError
from autoreg.report.figure import figures_with_data
from autoreg.report.figures.source import find_figures
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.training import checkpoints
from autoreg.training.loop import load_network, train_trial
from tests.helpers.planted import Planted
from tests.helpers.records import write_record


@pytest.mark.parametrize("file", ["checkpoint.pt", "resume.pt"])
def test_a_pickle_planted_in_a_trials_folder_is_not_run(
    runs: Runs, config: Callable[..., TrialConfig], tmp_path: Path, file: str
) -> None:
    made = config(epochs=1)
    folder = runs.trial(made.trial_id)
    mark = tmp_path / "owned"
    for write in (lambda path: torch.save({"network": Planted(mark)}, path),
                  lambda path: path.write_bytes(pickle.dumps(Planted(mark)))):  # fmt: skip
        folder.result_path.unlink(missing_ok=True)
        folder.path.mkdir(parents=True, exist_ok=True)
        write(folder.path / file)
        if file == "checkpoint.pt":
            with pytest.raises(checkpoints.DamagedCheckpoint):
                load_network(made, folder, build_dataset(made, None))
        else:
            result = train_trial(made, folder)
            assert result is not None
            assert "resume.pt cannot be read" in result.environment["resumed"]
        assert not mark.exists()


def test_a_folder_that_says_it_is_another_trial_is_refused(runs: Runs, trial: Callable[..., TrialFolder]) -> None:
    folder = trial()
    folder.path.rename(runs.root / ("0" * 16 + "-r0"))
    _, problems = rebuild(runs.root.parent / "results.db", runs)
    assert "describes trial" in problems[0]


HOSTILE = ["../../escaped", "/tmp/escaped", "x'; drop table trials; --", 'x"; drop table trials; --', "a\0b", "\x1b[2J"]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_in_the_run_folder_stay_texts(
    runs: Runs,
    trial: Callable[..., TrialFolder],
    sweep_record: Callable[..., dict[str, Any]],
    tmp_path: Path,
    text: str,
) -> None:
    record = sweep_record([trial()])
    write_record(runs, record)
    planted = {**record, "name": text, "figures": [text, "B5"], "sweep_id": "f" * 16}
    (runs.sweeps / f"{planted['sweep_id']}.json").write_text(json.dumps(planted))
    before = {path.name for path in tmp_path.iterdir()}
    database = tmp_path / "results.db"
    rebuild(database, runs)
    with reading(database) as connection:
        assert {status["name"] for status in sweep_status(connection)} == {"fixture", text}
        assert figures_with_data(connection, text) == ["B5"]
        assert connection.execute("select count(*) from trials").fetchone() == (1,)
    assert {path.name for path in tmp_path.iterdir()} - before == {"results.db"}


@pytest.mark.parametrize("name", ["trials", 'x"y', "x'y", "a-b", "1x", "units; drop table trials"])
def test_a_metrics_file_cannot_name_what_is_not_a_table_of_its_own(
    runs: Runs, trial: Callable[..., TrialFolder], tmp_path: Path, name: str
) -> None:
    folder = trial()
    source = folder.measurement_paths()[0]
    (folder.measurements / f"{name}-{'0' * 16}.parquet").write_bytes(source.read_bytes())
    count, [problem] = rebuild(tmp_path / "results.db", runs)
    assert count == 0
    assert "is a table of autoreg's own" in problem or "a table needs a plain name" in problem


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "b5/../../x", "B5;", ""])
def test_a_figures_name_is_no_path(name: str) -> None:
    with pytest.raises(ConfigError, match=r"unknown figure"):
        find_figures(name)


def test_a_tarball_writes_nothing_and_reads_nothing_outside(
    config: Callable[..., TrialConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("AUTOREG_CACHE", str(tmp_path / "data"))
    (tmp_path / "secret").write_text("secret")
    with tarfile.open(tmp_path / "data" / "cifar-10-python.tar.gz", "w:gz") as archive:
        for name in ("../escaped", "/tmp/escaped", "cifar-10-batches-py/../../escaped"):
            archive.addfile(tarfile.TarInfo(name))
        for number in range(1, 6):
            link = tarfile.TarInfo(f"cifar-10-batches-py/data_batch_{number}")
            link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
            archive.addfile(link)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError, match=r"cifar-10-python.tar.gz"):
        build_dataset(config(dataset=Choice(name="cifar10"), network=Choice(name="alexnet")), tmp_path / "data")
    assert sorted(tmp_path.rglob("*")) == before
