"""What `autoreg data` fetches has the official checksum, or is not kept."""

import hashlib
import io
import socketserver
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from torchvision.datasets import CIFAR10

from autoreg.cli.main import main
from autoreg.datasets.images.cifar10_files import FOLDER, TARBALL, download
from autoreg.errors import DataError


def archive() -> bytes:
    """An archive that writes outside if it is unpacked."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        made.addfile(tarfile.TarInfo("../escaped"))
    return buffer.getvalue()


OFFICIAL = archive()


class Server(socketserver.ThreadingTCPServer):
    """Answers every request with the same bytes."""

    daemon_threads = True
    answer = b""
    requests = 0


class Answer(socketserver.StreamRequestHandler):
    server: Any

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.server.requests += 1
        self.wfile.write(self.server.answer)


def http(content: bytes, length: int | None = None) -> bytes:
    size = len(content) if length is None else length
    return f"HTTP/1.0 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + content


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Answer) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(CIFAR10, "url", f"http://127.0.0.1:{made.server_address[1]}/{TARBALL}")
        monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(OFFICIAL, usedforsecurity=False).hexdigest())
        yield made
        made.shutdown()
        thread.join()


def test_what_is_fetched_is_kept_whole_and_not_unpacked_and_not_fetched_again(server: Server, tmp_path: Path) -> None:
    server.answer = http(OFFICIAL)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / TARBALL).write_bytes(OFFICIAL[:10])  # of an earlier time
    download(tmp_path / "data")
    asked = server.requests
    download(tmp_path / "data")
    assert server.requests == asked
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["data", f"data/{TARBALL}"]
    assert (tmp_path / "data" / TARBALL).read_bytes() == OFFICIAL


@pytest.mark.parametrize(
    "answer",
    [
        http(b"<html>"),
        http(OFFICIAL[:-1], len(OFFICIAL)),
        http(b""),
        b"HTTP/1.0 404 Not Found\r\n\r\n",
        b"nonsense\r\n",
        b"",
    ],
    ids=["something else", "half", "nothing", "not found", "no HTTP", "hung up"],
)
def test_what_is_not_official_is_told_in_a_line_and_not_kept(
    server: Server, tmp_path: Path, answer: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = answer
    monkeypatch.setattr(sys, "argv", ["autoreg", "data", "cifar10", "--root", str(tmp_path / "data")])
    with pytest.raises(SystemExit, match="3"):
        main()
    assert capsys.readouterr().err.splitlines()[-1].startswith("autoreg: CIFAR-10 could not be fetched: ")
    assert list((tmp_path / "data").iterdir()) == []


def test_damaged_batches_are_named_and_not_written_over(server: Server, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    with pytest.raises(DataError, match=r"incomplete, missing: .*data_batch_1"):
        download(tmp_path)
    assert server.requests == 0
