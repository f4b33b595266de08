"""A checkpoint is read without executing anything in it."""

import pickle
from pathlib import Path

import pytest
import torch

from autoreg.errors import DataError
from autoreg.training import checkpoints
from tests.helpers.planted import Planted


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    content = {"weights": {"w": torch.arange(3.0)}, "epoch": 3, "history": [{"loss": None}]}
    checkpoints.save(tmp_path / "c.pt", content)
    loaded = checkpoints.load(tmp_path / "c.pt")
    assert torch.equal(loaded["weights"]["w"], content["weights"]["w"])  # type: ignore[index]
    assert loaded["history"] == [{"loss": None}]


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_a_planted_pickle_is_refused_and_not_run(tmp_path: Path, writer: str) -> None:
    victim = tmp_path / "c.pt"
    if writer == "torch":
        torch.save({"network": Planted(tmp_path / "owned")}, victim)
    else:
        victim.write_bytes(pickle.dumps(Planted(tmp_path / "owned")))
    with pytest.raises(DataError, match=r"^c.pt cannot be read as a checkpoint"):
        checkpoints.load(victim)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated"])
def test_a_damaged_checkpoint_is_named_in_one_short_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "c.pt"
    checkpoints.save(path, {"weights": torch.zeros(1000)})
    whole = path.read_bytes()
    path.unlink() if damage == "missing" else path.write_bytes(b"" if damage == "empty" else whole[: len(whole) // 2])
    with pytest.raises(checkpoints.DamagedCheckpoint, match=r"^c.pt (is missing|cannot be read).{0,100}$"):
        checkpoints.load(path)


def test_one_bit_of_one_weight_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    checkpoints.save(path, {"weights": torch.full((1000,), 1.5)})
    whole = bytearray(path.read_bytes())
    at = whole.index(b"\x00\x00\xc0\x3f" * 10)
    whole[at] ^= 1
    path.write_bytes(bytes(whole))
    assert torch.load(path, weights_only=True)["weights"][0] != 1.5, "PyTorch does not mind"
    with pytest.raises(checkpoints.DamagedCheckpoint, match=r"does not have the checksum"):
        checkpoints.load(path)


def test_a_file_of_the_first_version_without_a_checksum_is_read_and_checked_by_its_archives_own(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    torch.save({"epoch": 3, "weights": torch.full((1000,), 1.5)}, path)
    assert checkpoints.load(path)["epoch"] == 3
    whole = bytearray(path.read_bytes())
    whole[whole.index(b"\x00\x00\xc0\x3f" * 10)] ^= 1
    path.write_bytes(bytes(whole))
    with pytest.raises(checkpoints.DamagedCheckpoint, match=r"does not have the checksum"):
        checkpoints.load(path)


def test_damage_that_hides_the_checksum_does_not_get_past_it(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    checkpoints.save(path, {"epoch": 3})
    path.write_bytes(path.read_bytes().replace(b"digest", b"digesu"))
    assert torch.load(path, weights_only=True)["digesu"], "PyTorch does not mind"
    with pytest.raises(checkpoints.DamagedCheckpoint, match=r"does not have the checksum"):
        checkpoints.load(path)


@pytest.mark.parametrize("error", [PermissionError(13, "denied"), OSError(24, "Too many open files"), MemoryError()])
def test_what_the_machine_gets_wrong_is_not_taken_for_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    checkpoints.save(tmp_path / "c.pt", {"epoch": 3})
    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(type(error)):
        checkpoints.load(tmp_path / "c.pt")


def test_the_checksum_sees_values_types_shapes_and_structure() -> None:
    values = [
        1, 1.0, "1", True, None, [1], [[1]], {"a": 1}, {"b": 1}, {"a": [1]}, [1, 2], [2, 1], torch.zeros(2),
        torch.zeros(2, dtype=torch.float64), torch.zeros(2, 1), torch.zeros(4, dtype=torch.bfloat16),
        [1, 23], [12, 3], torch.tensor(0.0), torch.tensor([True, False]), torch.zeros(0), torch.arange(4).reshape(2, 2),
        torch.arange(4).reshape(2, 2).T,
    ]  # fmt: skip
    assert len({checkpoints.digest(value) for value in values}) == len(values)
    assert checkpoints.digest(torch.arange(4).reshape(2, 2).T) == checkpoints.digest(torch.tensor([[0, 2], [1, 3]]))
