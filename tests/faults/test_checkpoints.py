"""Damaged states and weights: found, replaced by the state before or trained again, and recorded."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from autoreg.config.trial import Choice, TrialConfig
from autoreg.datasets import build_dataset
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.training import checkpoints
from autoreg.training.loop import load_network, train_trial
from tests.helpers.image_trials import folder_of, weights_of, without_times
from tests.helpers.promises import Promise

MakeConfig = Callable[..., TrialConfig]
TINY = {"width": 0.25, "epochs": 4, "optimizer": Choice(name="adam")}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def damages(whole: bytes, count: int) -> Iterator[bytes]:
    """Yield the file empty, cut at random places, and with one bit changed at random places."""
    yield b""
    rng = random.Random(0)
    for _ in range(count // 4):
        yield whole[: rng.randrange(1, len(whole))]
    for _ in range(count):
        changed = bytearray(whole)
        changed[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        yield bytes(changed)


def stopped_after(folder: TrialFolder, made: TrialConfig, *epochs: int) -> None:
    """Train a trial, stopping after each of these epochs."""
    for epoch in epochs:
        done: list[int] = []
        train_trial(
            made, folder, on_epoch=lambda now, done=done: done.append(now.epoch),
            stop=lambda epoch=epoch, done=done: done[-1:] == [epoch],
        )  # fmt: skip


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.slow), 29], ids=["every bit", "every 29th bit"])
@pytest.mark.filterwarnings("ignore::UserWarning")  # of PyTorch, about what the damage made of a file
def test_no_bit_of_a_file_changes_what_is_read_from_it(tmp_path: Path, every: int, promise: Promise) -> None:
    content = {
        "trial_id": "0123456789abcdef-r0", "best_epoch": 3, "network": {"w": torch.arange(64.0), "n": torch.tensor(5)},
        "epochs": [{"train_loss": 0.1, "validation_loss": None}],
    }  # fmt: skip
    path = tmp_path / "c.pt"
    checkpoints.save(path, content)
    whole, right = path.read_bytes(), checkpoints.digest(content)
    flips = range(0, 8 * len(whole), every)
    found = harmless = 0
    for flip in flips:
        changed = bytearray(whole)
        changed[flip // 8] ^= 1 << flip % 8
        path.write_bytes(bytes(changed))
        try:
            loaded = checkpoints.load(path)
        except checkpoints.DamagedCheckpoint:
            found += 1
        else:
            assert checkpoints.digest(loaded) == right, f"bit {flip % 8} of byte {flip // 8} went unnoticed"
            harmless += 1
    promise(
        "A damaged checkpoint is detected; the previous state is used, or the trial is trained again",
        "0 unnoticed",
        f"0 of {len(flips)} changed bits unnoticed: {found} found, {harmless} change nothing that is read",
    )
    assert found + harmless == len(flips)
    assert found > len(flips) / 3


def test_no_damage_to_a_checkpoint_goes_unnoticed(runs: Runs, config: MakeConfig) -> None:
    made = config(**TINY)
    folder = folder_of(runs, made)
    train_trial(made, folder)
    dataset, whole = build_dataset(made, None), folder.checkpoint_path.read_bytes()
    right = load_network(made, folder, dataset).state_dict()
    found = harmless = 0
    for content in damages(whole, 200):
        folder.checkpoint_path.write_bytes(content)
        try:
            network = load_network(made, folder, dataset)
        except checkpoints.DamagedCheckpoint:
            found += 1
        else:
            assert same(network.state_dict(), right), "a changed weight went unnoticed"
            harmless += 1  # in the padding between the tensors, or in a date of the archive
    assert found + harmless == 251
    assert found > harmless


@pytest.mark.parametrize("damage", ["missing", "of another architecture", "of another trial"])
def test_weights_that_are_not_the_trials_own_are_refused(runs: Runs, config: MakeConfig, damage: str) -> None:
    made = config(**TINY)
    folder = folder_of(runs, made)
    train_trial(made, folder)
    if damage == "missing":
        folder.checkpoint_path.unlink()
    else:
        wide = config(**{**TINY, "width": 0.5})
        train_trial(wide, folder_of(runs, wide))
        content = checkpoints.load(folder_of(runs, wide).checkpoint_path)
        if damage == "of another architecture":
            content["trial_id"] = made.trial_id
        checkpoints.save(folder.checkpoint_path, content)
    with pytest.raises(checkpoints.DamagedCheckpoint, match=r"^checkpoint.pt (is missing|does not fit|is of another)"):
        load_network(made, folder, build_dataset(made, None))


def test_a_discarded_trial_is_trained_again_to_the_same_weights_and_its_record_says_why(
    runs: Runs, config: MakeConfig
) -> None:
    made = config(**TINY)
    folder = folder_of(runs, made)
    train_trial(made, folder)
    before, weights = folder.read_result(), weights_of(folder)
    folder.discard("checkpoint.pt was damaged")
    folder.discard("checkpoint.pt was damaged")  # as after a kill in the middle of the first time
    assert not folder.is_trained
    after = train_trial(made, folder)
    assert after is not None
    assert after.environment["trained_again"] == "checkpoint.pt was damaged"
    assert same(weights_of(folder), weights)
    assert without_times(after.epochs) == without_times(before.epochs)
    assert sorted(path.name for path in folder.path.iterdir()) == ["checkpoint.pt", "config.json", "result.json"]


def test_whatever_happens_to_the_last_state_the_one_before_is_used(tmp_path: Path, config: MakeConfig) -> None:
    made = config(**TINY)
    straight, broken = (folder_of(Runs(tmp_path / name), made) for name in ("straight", "broken"))
    train_trial(made, straight)
    stopped_after(broken, made, 1, 2)
    last, before = broken.resume_path.read_bytes(), broken.previous_resume_path.read_bytes()
    used = set()
    for content in damages(last, 20):
        broken.resume_path.write_bytes(content)
        broken.previous_resume_path.write_bytes(before)
        broken.result_path.unlink(missing_ok=True)
        result = train_trial(made, broken)
        assert result is not None
        assert same(weights_of(broken), weights_of(straight))
        assert without_times(result.epochs) == without_times(straight.read_result().epochs)
        notes = result.environment["resumed"].split("; ")
        assert notes[-1] == ("continued after epoch 1" if len(notes) == 2 else "continued after epoch 2")
        assert len(notes) == 1 or notes[0].startswith("resume.pt ")
        used.add(notes[-1])
    assert "continued after epoch 1" in used


def test_with_both_states_damaged_the_trial_is_trained_from_the_start(tmp_path: Path, config: MakeConfig) -> None:
    made = config(**TINY)
    straight, broken = (folder_of(Runs(tmp_path / name), made) for name in ("straight", "broken"))
    train_trial(made, straight)
    stopped_after(broken, made, 1, 2)
    for path in (broken.resume_path, broken.previous_resume_path):
        path.write_bytes(path.read_bytes()[:-1])
    result = train_trial(made, broken)
    assert result is not None
    first, second, third = result.environment["resumed"].split("; ")
    assert first.startswith("resume.pt cannot be read")
    assert second.startswith("resume.previous.pt cannot be read")
    assert third == "trained from the start"
    assert same(weights_of(broken), weights_of(straight))


def test_a_state_that_does_not_fit_into_memory_is_kept_for_the_next_try(
    runs: Runs, config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = config(**TINY)
    folder = folder_of(runs, made)
    stopped_after(folder, made, 1)

    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as patched:
        patched.setattr(torch.nn.Module, "load_state_dict", fail)
        with pytest.raises(torch.OutOfMemoryError):
            train_trial(made, folder)
    result = train_trial(made, folder)
    assert result is not None
    assert result.environment["resumed"] == "continued after epoch 1"
