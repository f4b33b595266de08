"""`autoreg compress`: a table, a file, and nothing where something is wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import autoreg
from autoreg.config.trial import TrialConfig
from autoreg.datasets import build_dataset
from autoreg.networks.build import build_network
from autoreg.runs.folder import Runs
from autoreg.training.loop import train_trial
from tests.helpers.command_line import autoreg as command


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, config: Callable[..., TrialConfig]) -> tuple[Path, TrialConfig]:
    folder = tmp_path_factory.mktemp("trained")
    trial = config(epochs=3)
    options = {"train_size": 300, "validation_size": 300, "test_size": 200}
    trial = trial.model_copy(update={"dataset": trial.dataset.model_copy(update={"options": options})})
    train_trial(trial, Runs(folder / "runs").trial(trial.trial_id))
    return folder, trial


def test_a_trial_becomes_a_file_and_a_program_and_a_table(trained: tuple[Path, TrialConfig], tmp_path: Path) -> None:
    folder, trial = trained
    files = [tmp_path / "small.pt", tmp_path / "small.pt2"]
    words = ["compress", trial.trial_id[:6], "--out", str(files[0]), "--export", str(files[1])]
    ended = command(*words, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    rows = [line.split() for line in ended.stdout.splitlines()]
    assert rows[0] == ["layer", "before", "after", "dead", "dropped", "merged", "rebuilt", "constant"]
    assert rows[1][:2] == ["hidden", "32"]
    assert {row[0] for row in rows[2:] if row} >= {"parameters", "FLOPs", "ms", "accuracy", "width"}
    assert ended.stdout.splitlines()[-1].endswith("of such examples, with 95 % confidence")
    lines = ended.stderr.splitlines()
    assert lines[0] == "looking at units on 300 examples"
    assert lines[1].startswith("error 1.0e-09: ")
    assert lines[-1] == f"{files[0]}: {files[0].stat().st_size:,} bytes"

    dataset = build_dataset(trial, None)
    fresh = build_network(trial, dataset.input_shape, dataset.classes)
    narrower, program = autoreg.narrow(fresh, files[0]), torch.export.load(files[1]).module()
    [(inputs, labels)] = dataset.batches("test", 200)
    assert torch.equal(narrower(inputs), program(inputs))
    [accuracy] = [row for row in rows if row[:1] == ["accuracy"]]
    assert accuracy[2] == f"{float((narrower(inputs).argmax(1) == labels).double().mean()):.2%}"

    again = command(*words, cwd=folder)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == f"autoreg: {files[0]} is there already; name another file, or remove it\n"


def test_numbers_for_programs(trained: tuple[Path, TrialConfig], tmp_path: Path) -> None:
    folder, trial = trained
    out = tmp_path / "small.pt"
    ended = command("compress", trial.trial_id, "--out", str(out), "--surgery", "drop", "--json", cwd=folder)
    said = json.loads(ended.stdout)
    assert said["surgery"] == "drop"
    assert said["layers"][0]["rebuilt"] == 0
    assert said["bound"] < said["unchanged"] <= 1
    assert out.is_file()


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["--unchanged", "0"], 2, "unchanged is a share of the labels in (0, 1], got 0"),
        (["--unchanged", "1.5"], 2, "unchanged is a share of the labels in (0, 1], got 1.5"),
        (["--surgery", "cut"], 2, "unknown surgery 'cut' (allowed: drop, either, merge, rebuild)"),
        (["--unchanged", "0.999"], 2, "unchanged=0.999 takes at least 2995 examples to choose a level by, got 300"),
        (["--export", "small.pt"], 2, "--out and --export are two files, got small.pt for both"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_no_file_is_written(
    trained: tuple[Path, TrialConfig], words: list[str], code: int, line: str
) -> None:
    folder, trial = trained
    ended = command("compress", trial.trial_id, "--out", "small.pt", *words, cwd=folder)
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, "", f"autoreg: {line}\n")
    assert [path.name for path in folder.iterdir()] == ["runs"]


def test_a_damaged_checkpoint_is_said_in_one_line(trained: tuple[Path, TrialConfig], tmp_path: Path) -> None:
    _, trial = trained
    runs = Runs(tmp_path / "runs")
    train_trial(trial, runs.trial(trial.trial_id))
    runs.trial(trial.trial_id).checkpoint_path.write_bytes(b"nothing")
    ended = command("compress", trial.trial_id, "--out", "small.pt", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith("autoreg: checkpoint.pt cannot be read as a checkpoint")
    assert not (tmp_path / "small.pt").exists()
