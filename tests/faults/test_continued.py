"""An interrupted and resumed trial equals an uninterrupted one: its weights, epochs and metrics, bit for bit."""

import multiprocessing
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from itertools import combinations
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from autoreg.config.trial import Choice, TrialConfig
from autoreg.metrics.measure import measure_trial, measurements_of
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.records import Epoch, TrialResult
from autoreg.training import checkpoints, saving
from autoreg.training.loop import train_trial
from tests.helpers.image_trials import ALEXNET, RESNET, folder_of, weights_of, without_times
from tests.helpers.promises import Promise

MakeConfig = Callable[..., TrialConfig]
Uninterrupted = Callable[[str], tuple[TrialConfig, TrialFolder]]

WARMUP = {"schedule": Choice(name="step", options={"boundaries": [2], "warmup": 1})}
RANDOM_LABELS = {"random_labels": True, "epochs": 9, "patience": 3, "learning_rate": 3.0}
CASES: dict[str, dict[str, Any]] = {
    "momentum": {"epochs": 4},
    "adam": {"epochs": 4, "optimizer": Choice(name="adam")},
    "averaged weights": {"epochs": 4, "weight_average": 0.9},
    "steps after a warmup": {"epochs": 4} | WARMUP,
    "random labels with patience": RANDOM_LABELS,
    "alexnet": ALEXNET,
    "resnet56": RESNET,
}
LARGE = ["alexnet", "resnet56"]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, config: MakeConfig) -> Uninterrupted:
    """Return a case and its folder, trained in one go and measured."""

    @cache
    def make(case: str) -> tuple[TrialConfig, TrialFolder]:
        made = config(**CASES[case])
        folder = folder_of(Runs(tmp_path_factory.mktemp("straight")), made)
        assert train_trial(made, folder) is not None
        measure(folder)
        return made, folder

    return make


def measure(folder: TrialFolder) -> None:
    metrics = {"ablation": {"fractions": 3, "samples": 1}, "similarity": {"samples": 1}}
    wanted = [one for metric, options in metrics.items() for one in measurements_of(metric, options, ["test"])]
    assert measure_trial(folder, wanted) == 2


def train_stopping_after(made: TrialConfig, folder: TrialFolder, stops: tuple[int, ...]) -> TrialResult:
    """Stop a trial after each of these epochs, each time as a new start that knows only what lies on the disk."""
    for last in stops:
        done: list[int] = []
        stopped = train_trial(
            made, folder, on_epoch=lambda epoch, done=done: done.append(epoch.epoch),
            stop=lambda last=last, done=done: done[-1:] == [last],
        )  # fmt: skip
        assert stopped is None
        assert not folder.is_trained
    result = train_trial(made, folder)
    assert result is not None
    return result


def assert_same(folder: TrialFolder, expected: TrialFolder) -> None:
    """Compare everything that two trainings of a trial left behind, but for the time that they took."""
    one, other = folder.read_result(), expected.read_result()
    assert without_times(one.epochs) == without_times(other.epochs)
    timed = {"epochs", "seconds", "finished_at", "environment"}
    assert one.model_dump(exclude=timed) == other.model_dump(exclude=timed)
    weights = weights_of(expected)
    assert weights_of(folder).keys() == weights.keys()
    for name, weight in weights_of(folder).items():
        assert torch.equal(weight, weights[name]), name
    measure(folder)
    measured = [path.name for path in folder.measurement_paths()]
    assert measured == [path.name for path in expected.measurement_paths()]
    for path in folder.measurement_paths():
        assert pl.read_parquet(path).equals(pl.read_parquet(expected.measurements / path.name)), path.name
    left = {str(path.relative_to(folder.path)) for path in folder.path.rglob("*") if path.is_file()}
    assert left == {"checkpoint.pt", "config.json", "result.json", *(f"measurements/{name}" for name in measured)}


def ways(case: str) -> list[Any]:
    """Return after which of its first epochs a case is interrupted: each; one, or two, which is slow for large ones."""
    each, slow = (1, 2, 3), [pytest.mark.slow] if case in LARGE else []
    some = [*combinations(each, 1), *combinations(each, 2)]
    return [
        pytest.param(case, each, id=f"{case} after each epoch"),
        *(pytest.param(case, stops, id=f"{case} after {stops}", marks=slow) for stops in some),
    ]


@pytest.mark.parametrize(("case", "stops"), [way for case in CASES for way in ways(case)])
def test_interrupted_and_continued_is_bit_equal_to_uninterrupted(
    runs: Runs, uninterrupted: Uninterrupted, case: str, stops: tuple[int, ...]
) -> None:
    made, expected = uninterrupted(case)
    result = train_stopping_after(made, folder_of(runs, made), stops)
    assert result.environment["resumed"] == f"continued after epoch {stops[-1]}"
    assert_same(folder_of(runs, made), expected)


def test_the_case_with_patience_stops_early_and_keeps_weights_of_before(uninterrupted: Uninterrupted) -> None:
    made, folder = uninterrupted("random labels with patience")
    result = folder.read_result()
    assert result.best_epoch in (2, 3), "the best weights have to outlive an interruption"
    assert result.epochs_run == result.best_epoch + 3 < made.epochs


@pytest.mark.parametrize(
    ("case", "part"),
    [
        ("momentum", "network"),
        ("momentum", "optimizer"),
        ("adam", "optimizer"),
        ("averaged weights", "average"),
        ("random labels with patience", "best_weights"),
        ("resnet56", "statistics"),
    ],
)
def test_without_any_one_part_of_the_state_it_would_end_differently(
    runs: Runs, uninterrupted: Uninterrupted, case: str, part: str
) -> None:
    made, expected = uninterrupted(case)
    folder = folder_of(runs, made)
    fresh, later = [], []
    assert train_trial(made, folder, on_epoch=fresh.append, stop=lambda: len(fresh) == 1) is None
    first = checkpoints.load(folder.resume_path)
    assert train_trial(made, folder, on_epoch=later.append, stop=lambda: len(later) == 2) is None
    content = checkpoints.load(folder.resume_path)
    if part == "statistics":
        running = [name for name in content["network"] if "running" in name]
        assert running
        content["network"] |= {name: first["network"][name] for name in running}
    else:
        content[part] = first[part]
    checkpoints.save(folder.resume_path, content)
    assert train_trial(made, folder) is not None
    weights, others = weights_of(folder), weights_of(expected)
    assert not all(torch.equal(weights[name], others[name]) for name in weights)


def train_as_told(root: Path, made: TrialConfig, parent: Connection) -> None:
    """Train a trial, saving its state after each step, and begin no epoch that the parent has not allowed."""

    def report(epoch: Epoch) -> None:
        parent.send(epoch.seconds)
        parent.recv()

    saving.SECONDS_BETWEEN_SAVES = saving.SECONDS_BETWEEN_LOOKS = 0.0
    torch.set_num_threads(1)  # as the test has it: the order of sums, and so the last bits, depend on it
    folder = Runs(root).trial(made.trial_id)
    with folder.locked():
        train_trial(made, folder, on_epoch=report)


@pytest.mark.parametrize(
    ("case", "epochs"),
    [
        ("momentum", 12),
        pytest.param("alexnet", 24, marks=pytest.mark.slow),
        pytest.param("resnet56", 12, marks=pytest.mark.slow),
    ],
)
def test_killed_in_the_middle_of_saving_and_of_epochs_it_ends_the_same(
    tmp_path: Path, config: MakeConfig, case: str, epochs: int, promise: Promise
) -> None:
    made = config(**{**CASES[case], "epochs": epochs, "patience": None})
    straight, broken = (Runs(tmp_path / name) for name in ("straight", "broken"))
    train_trial(made, folder_of(straight, made))
    measure(folder_of(straight, made))
    folder, rng, kills = folder_of(broken, made), random.Random(0), 0
    processes = multiprocessing.get_context("forkserver")
    preload = [__name__, "torch._dynamo"]  # the second is what the first step of any optimizer imports, for seconds
    processes.set_forkserver_preload(preload)
    while not folder.is_trained:
        here, there = processes.Pipe()
        process = processes.Process(target=train_as_told, args=(broken.root, made, there))
        process.start()
        there.close()
        with here, suppress(EOFError):
            for _ in range(rng.randrange(1, 4)):
                seconds = here.recv()
                here.send("go on")
            time.sleep(rng.uniform(0, 1.5 * seconds))
            process.kill()
        process.join()
        kills += process.exitcode == -signal.SIGKILL
        assert kills < 60
    assert kills > epochs / 6
    assert "continued after epoch" in folder.read_result().environment["resumed"]
    with folder.locked():
        folder.delete_resume_state()  # as the next start of a sweep does if the kill came after the result
    assert_same(folder, folder_of(straight, made))
    assert list((broken.root / ".locks").iterdir()) == []
    promise(
        "An interrupted and resumed trial equals an uninterrupted one",
        "weights, epochs and metrics bit-equal",
        f"bit-equal: {case}, {kills} SIGKILLs in {epochs} epochs",
    )
