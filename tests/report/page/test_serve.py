"""The page while a sweep runs: another one as trials end, to its own reader alone."""

import http.client
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from autoreg.report.page import serve
from autoreg.report.page.write import Page
from tests.helpers.swept import LATER
from tests.report.page.conftest import Shown, until


class Watched:
    """A page that is watched, of a results.db whose rows are these sweeps."""

    def __init__(self, folder: Path, page: Page) -> None:
        self.database, self.out, self.page = folder / "results.db", folder / "out", page
        self.told: list[str] = []
        self.begun, self.over = threading.Event(), threading.Event()

    def tell(self, text: str) -> None:
        self.told.append(text)
        self.begun.set()

    def rest(self, _: float) -> None:
        """Take the place of sleeping between two looks, and of Ctrl-C at the end."""
        if self.over.wait(0.05):
            raise KeyboardInterrupt

    def watch(self) -> None:
        with pytest.raises(KeyboardInterrupt):
            serve.watch_page(self.database, lambda _: self.page, self.out, self.tell)

    def change(self, page: Page) -> None:
        """Have other rows be in results.db."""
        self.page = page
        os.utime(self.database, (0, 0))

    @property
    def address(self) -> str:
        return self.told[0].split("\n")[0]


@pytest.fixture
def watched(page: Page, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """The page with the latest sweep alone, watched until the test ends."""
    shutil.copyfile(database, tmp_path / "results.db")
    made = Watched(tmp_path, replace(page, sweeps=page.sweeps[:1], version="before"))
    monkeypatch.setattr(serve, "time", SimpleNamespace(sleep=made.rest, monotonic=lambda: 0.0))
    thread = threading.Thread(target=made.watch)
    thread.start()
    assert made.begun.wait(60)
    yield made
    made.over.set()
    thread.join(60)
    assert not thread.is_alive()
    assert len(made.told) == 1


def asked(address: str, path: str = "", host: str | None = None) -> tuple[int, str]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    connection.request(
        "GET", path if path.startswith("/") else parts.path + path, headers={"Host": host or parts.netloc}
    )
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_only_who_knows_the_address_is_answered(watched: Watched) -> None:
    address = watched.address
    status, page = asked(address)
    assert (status, "connect-src 'self'" in page) == (200, True)
    assert asked(address, "/")[0] == 404
    assert asked(address, "/another/version")[0] == 404
    assert asked(address, "../page")[0] == 404
    assert asked(address, host="stranger.example:80")[0] == 404


def test_an_open_page_follows_the_sweep_and_stays_as_the_reader_left_it(
    watched: Watched, page: Page, browser: Any
) -> None:
    shown = Shown(browser, watched.address)
    opened, linear = shown.page, f"#s-{LATER} [data-key=x][data-value=linear]"
    opened.click(linear)
    opened.click(f"#s-{LATER} .chip >> nth=0")
    opened.evaluate("scrollTo(0, 900)")
    assert opened.locator("article").count() == 1
    watched.change(replace(page, version="after"))
    opened.locator("article").nth(1).wait_for()
    until(opened, "scrollY === 900")
    assert opened.get_attribute(linear, "aria-pressed") == "true"
    assert opened.get_attribute(f"#s-{LATER} .chip >> nth=0", "aria-pressed") == "false"
    assert shown.said == []
    hosts = {urlsplit(url).netloc for url in shown.asked if not url.startswith("data:")}
    assert hosts == {urlsplit(watched.address).netloc}
    text = (watched.out / "report.html").read_text(encoding="utf-8")
    assert 'data-version="after"' in text
    assert "connect-src" not in text
    shown.context.close()
