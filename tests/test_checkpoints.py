"""A checkpoint is read without executing anything in it."""

import os
import pickle
from pathlib import Path

import pytest
import torch

from autoreg import checkpoints
from autoreg.errors import DataError


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    content = {"weights": {"w": torch.arange(3.0)}, "epoch": 3, "history": [{"loss": None}]}
    checkpoints.save(tmp_path / "c.pt", content)
    loaded = checkpoints.load(tmp_path / "c.pt")
    assert torch.equal(loaded["weights"]["w"], content["weights"]["w"])  # type: ignore[index]
    assert loaded["history"] == [{"loss": None}]


class Planted:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> object:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_a_planted_pickle_is_refused_and_not_run(tmp_path: Path, writer: str) -> None:
    victim = tmp_path / "c.pt"
    if writer == "torch":
        torch.save({"network": Planted(tmp_path / "owned")}, victim)
    else:
        victim.write_bytes(pickle.dumps(Planted(tmp_path / "owned")))
    with pytest.raises(DataError, match=r"c.pt: cannot be read as a checkpoint"):
        checkpoints.load(victim)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated"])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "c.pt"
    checkpoints.save(path, {"weights": torch.zeros(1000)})
    whole = path.read_bytes()
    path.unlink() if damage == "missing" else path.write_bytes(b"" if damage == "empty" else whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"c.pt: cannot be read"):
        checkpoints.load(path)
