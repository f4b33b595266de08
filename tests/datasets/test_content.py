"""Files are told apart by their bytes, which are read once."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autoreg.datasets.images import content
from autoreg.datasets.images.cache import hash_files
from autoreg.datasets.images.content import Files


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOREG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(content, "TICK", 0)  # as if the files had been there for seconds
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    for number in range(9):
        (tmp_path / "files" / f"{number}").write_bytes(bytes([number]) * 100)
    return tmp_path / "files"


def listed(folder: Path) -> Files:
    return Files.of(folder, sorted(path for path in folder.iterdir()))


def change(path: Path, at: int = 0) -> None:
    """Change one byte of a file and leave its size, its inode and its time of writing as they were."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"x")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def contents_without_reading(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    with monkeypatch.context() as patch:
        patch.setattr(content, "_hash_pieces", lambda *_: pytest.fail("a file was read again"))
        return listed(folder).contents()


def test_a_file_is_read_once_and_again_if_it_changed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = listed(folder).contents()
    assert first == [hash_files([path]) for path in sorted(folder.iterdir())]
    assert contents_without_reading(folder, monkeypatch) == first
    change(folder / "4")
    after = listed(folder).contents()
    assert [row for row in range(9) if after[row] != first[row]] == [4]
    assert after[4] == hash_files([folder / "4"])


def test_a_file_that_has_just_changed_is_not_remembered(folder: Path, cache: Path) -> None:
    content.TICK = 10**10
    listed(folder).contents()
    assert not cache.exists()


def test_processes_that_remember_at_the_same_time_do_not_disturb_each_other(folder: Path, cache: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: listed(folder).contents(), range(8)))
    assert all(result == results[0] for result in results)
    [kept] = cache.iterdir()
    for damaged in (kept.read_text()[:50], "[]", '{"4": 5}'):
        kept.write_text(damaged)
        assert listed(folder).contents() == results[0]


def test_of_a_large_set_names_sizes_and_a_sample_are_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "WHOLE", 300)  # so 900 bytes are read in thirds
    monkeypatch.setattr(content, "PIECE", 100)
    first = listed(folder).contents()
    assert len(set(first)) == 9
    for row in range(9):
        change(folder / f"{row}")
    after = listed(folder).contents()
    assert [row for row in range(9) if after[row] != first[row]] == [0, 3, 6]
    (folder / "4").rename(folder / "44")
    (folder / "5").write_bytes(b"other")
    last = listed(folder).contents()
    assert [row for row in range(9) if last[row] != after[row]] == [4, 5]


def test_of_a_large_file_pieces_and_the_end_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "WHOLE", 300)
    monkeypatch.setattr(content, "PIECE", 100)
    (tmp_path / "large").mkdir()
    path = tmp_path / "large" / "file"
    path.write_bytes(bytes(850))  # pieces 0, 3 and 6, and the last hundred
    seen = []
    for at in range(0, 850, 50):
        before = listed(path.parent).contents()
        change(path, at)
        if listed(path.parent).contents() != before:
            seen.append(at)
    assert seen == [0, 50, 300, 350, 600, 650, 750, 800]
