"""What `autoreg init` writes is a sweep that runs, and a schema that holds for every sweep."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from PIL import Image

import autoreg
from autoreg.cli.init.command import init
from autoreg.cli.init.json_schema import sweep_schema
from autoreg.config.strict_yaml import parse
from autoreg.errors import ConfigError, DataError
from autoreg.packaged import find_sweep, sweep_names
from tests.helpers.command_line import autoreg as command
from tests.helpers.sweep_process import settings

PAGE = Path(__file__).parents[2] / "docs" / "sweep_file.md"


def complaints(document: Any) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(sweep_schema()).iter_errors(document)]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(sweep_schema())
    assert json.loads(json.dumps(sweep_schema()))["title"] == "A sweep of autoreg"
    assert sweep_schema()["properties"]["replicates"]["description"].startswith("how often each final setting")


@pytest.mark.parametrize("name", sweep_names())
def test_every_packaged_sweep_fits_the_schema(name: str) -> None:
    path = find_sweep(name)
    assert complaints(parse(path.read_text(encoding="utf-8"), str(path)).data) == []


def test_the_documented_sweep_file_fits_the_schema() -> None:
    text = PAGE.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    assert complaints(parse(text, PAGE.name).data) == []


@pytest.mark.parametrize(
    "change",
    [
        {"replicate": 3},
        {"network": "alexnot"},
        {"network": {"name": "mlp", "hiden": 3}},
        {"dataset": {"name": "noise"}},
        {"training": {"learning_rate": 0, "batch_size": 1, "epochs": 1}},
        {"grid": {"width": ["wide"]}},
    ],
)
def test_an_editor_underlines_what_a_sweep_may_not_say(change: dict[str, Any]) -> None:
    training = {"learning_rate": 0.1, "batch_size": 10, "epochs": 1}
    right = {"name": "own", "network": "mlp", "dataset": "teacher", "replicates": 1, "training": training}
    assert complaints(right) == []
    assert complaints({**right, **change}) != []


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "my images"
    for name, colour in (("dark", 40), ("light", 200)):
        (folder / name).mkdir(parents=True)
        for number in range(12):
            Image.new("L", (20, 20), colour + number).save(folder / name / f"{number}.jpg")
    return folder


def run_here(*words: str, cwd: Path) -> str:
    ended = command(*words, cwd=cwd)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_made_up_data_and_a_network_of_ones_own_are_a_sweep(tmp_path: Path) -> None:
    written = command("init", cwd=tmp_path).stdout.split()
    assert written == ["my_sweep.yaml", "my_sweep_network.py", "sweep.schema.json"]
    text = (tmp_path / "my_sweep.yaml").read_text(encoding="utf-8")
    assert complaints(parse(text, "my_sweep.yaml").data) == []
    planned = run_here("plan", "my_sweep.yaml", "--no-calibration", cwd=tmp_path)
    assert "24 final trials, 32 tuning trials, 0 already done" in planned.splitlines()


@pytest.mark.usefixtures("forks")
def test_from_nothing_to_a_figure_of_ones_own_images(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOREG_CACHE", str(tmp_path / "cache"))
    assert command("init", "--images", str(images), "--size", "16", cwd=tmp_path).returncode == 0
    text = (tmp_path / "my_sweep.yaml").read_text(encoding="utf-8")
    assert complaints(parse(text, "my_sweep.yaml").data) == []
    short = ["grid.width=[1/2, 1]", "replicates=1", "training.epochs=1", "training.batch_size=8", "tune=null"]
    run_here("sweep", "my_sweep.yaml", *settings(*short), cwd=tmp_path)
    assert "reports/figure_scores.png" in command("report", "--all", cwd=tmp_path).stdout.split()
    assert autoreg.Results(tmp_path / "results.db").table("trial_scores")["series"].unique().len() == 2


def test_nothing_that_is_there_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "my_sweep_network.py").write_text("mine")
    with pytest.raises(ConfigError, match=r"my_sweep_network\.py is there already"):
        init.main([str(tmp_path)], standalone_mode=False)
    assert [path.name for path in tmp_path.iterdir()] == ["my_sweep_network.py"]


def test_what_is_wrong_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a sweep's name has small letters"):
        init.main([str(tmp_path), "--name", "My Sweep"], standalone_mode=False)
    with pytest.raises(DataError, match="nowhere does not exist"):
        init.main([str(tmp_path), "--images", str(tmp_path / "nowhere")], standalone_mode=False)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    (tmp_path / "pets" / "notes.txt").touch()
    with pytest.raises(DataError, match="must have a folder of images for each class, and has no file in any"):
        init.main([str(tmp_path), "--images", str(tmp_path / "pets")], standalone_mode=False)
    assert [path.name for path in tmp_path.iterdir()] == ["pets"]


@pytest.mark.parametrize(("files", "expected"), [(1000, 32), (128, 32), (127, 16), (40, 8), (3, 1)])
def test_a_batch_fits_the_images_that_there_are(tmp_path: Path, files: int, expected: int) -> None:
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    for number in range(files):
        (tmp_path / "pets" / "cat" / f"{number}.png").touch()
    init.main([str(tmp_path), "--images", str(tmp_path / "pets")], standalone_mode=False)
    assert autoreg.load_sweep(tmp_path / "my_sweep.yaml").sweep.training.batch_size == expected
