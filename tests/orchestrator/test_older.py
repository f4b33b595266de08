"""Trials that an earlier version trained with a user's own code count as done while the named file is as it was."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autoreg.config.sweep_file import load_sweep
from autoreg.orchestrator.older import older_note
from autoreg.orchestrator.plan import make_plan
from autoreg.orchestrator.schedule import Schedule
from autoreg.registry import Registry
from autoreg.runs.folder import Runs
from tests.helpers.searching import end, next_of

NET = """\
from torch import nn
from autoreg.networks import Network
from older_blocks import activation


def build(width, input_shape, classes, dropout):
    count = int(16 * width)
    hidden = nn.Sequential(nn.Linear(input_shape[0], count), activation())
    return Network([("hidden", hidden), ("output", nn.Linear(count, classes))], measured=["hidden"])
"""
SWEEP = """\
name: older
network: older_net:build
dataset: {name: teacher, dimensions: 3, train_size: 50, validation_size: 20, test_size: 20}
replicates: 2
training: {learning_rate: 0.1, batch_size: 10, epochs: 2}
tune: {space: {learning_rate: {low: 1e-2, high: 1}}, trials: 2, epochs: 1, startup: 1}
measure: {metrics: {similarity: {samples: 1}}}
"""

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: Runs, finish: Callable[..., None]) -> Iterator[Run]:
    """End every trial of the sweep that is left, and return how many there were."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "older_net.py").write_text(NET)
    (tmp_path / "older_blocks.py").write_text("from torch.nn import ReLU as activation\n")
    (tmp_path / "older.yaml").write_text(SWEEP)

    def run(*, as_before: bool = False) -> int:
        with monkeypatch.context() as patch:
            if as_before:
                patch.setattr(Registry, "source", Registry.source_of_file)
            schedule = schedule_of(tmp_path)
        configs = []
        while job := next_of(schedule, runs):
            finish(job.config)
            end(schedule, job.config, runs)
            configs.append(job.config)
        return len(configs)

    yield run
    forget()


def forget() -> None:
    for name in ("older_net", "older_blocks"):
        sys.modules.pop(name, None)


def schedule_of(folder: Path) -> Schedule:
    forget()
    return make_plan(load_sweep(folder / "older.yaml")).schedule(Runs(folder / "runs"))


def test_what_an_earlier_version_trained_is_done_and_a_line_says_what_it_did_not_see(run: Run, tmp_path: Path) -> None:
    assert (run(as_before=True), run()) == (4, 0)
    assert older_note(schedule_of(tmp_path)) == [
        "4 trials were trained by an earlier version, which did not see the modules that your files import: if one has "
        "changed since, use another run folder"
    ]


def test_what_is_left_of_an_earlier_versions_sweep_gets_the_ids_of_now(run: Run, runs: Runs, tmp_path: Path) -> None:
    run(as_before=True)
    gone = next(folder for folder in runs.trials() if folder.read_config().replicate == 1)
    gone.result_path.unlink()
    assert (run(), run()) == (1, 0)
    assert not gone.is_trained
    assert older_note(schedule_of(tmp_path))[0].startswith("3 trials were")
    (tmp_path / "older_blocks.py").write_text("from torch.nn import Tanh as activation\n")
    assert run() == 1, "what this version trained is trained anew"


def test_an_edited_file_is_new_to_an_earlier_version(run: Run, tmp_path: Path) -> None:
    run(as_before=True)
    (tmp_path / "older_net.py").write_text(f"# It is new.\n{NET}")
    assert run() == 4
    assert older_note(schedule_of(tmp_path)) == []


def test_a_comment_trains_nothing_anew_and_another_activation_everything(run: Run, tmp_path: Path) -> None:
    assert run() == 4
    (tmp_path / "older_net.py").write_text(f'"""My network."""\n\n# It is new.\n{NET}')
    assert run() == 0
    (tmp_path / "older_blocks.py").write_text("from torch.nn import Tanh as activation\n")
    assert run() == 4


def test_a_longer_trial_goes_on_from_a_shorter_one_of_an_earlier_version(run: Run, tmp_path: Path, runs: Runs) -> None:
    sweep = tmp_path / "older.yaml"
    sweep.write_text(SWEEP.replace("epochs: 2}", "epochs: 2}\ngrid: {epochs: [1, 2]}"))
    assert run(as_before=True) == 6
    longer = [folder for folder in runs.trials() if folder.read_config().epochs == 2]
    for folder in longer:
        folder.result_path.unlink()
    schedule = schedule_of(tmp_path)
    parents = {job.parent for job in iter(lambda: next_of(schedule, runs), None)}
    assert len(parents) == 2
    assert all(runs.trial(str(parent)).is_trained for parent in parents)
