"""The page of one results.db, made once, and a browser to look at it, started once."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autoreg.database.connection import reading
from autoreg.report.page.write import Page, read_page, write_page
from autoreg.runs.folder import TrialFolder
from tests.helpers.swept import swept

CHROMIUM = shutil.which("chromium")
#: What a browser would otherwise do of its own accord, none of which has to do with the page.
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--no-first-run",
]  # fmt: skip


@pytest.fixture(scope="package")
def database(
    tmp_path_factory: pytest.TempPathFactory, trial_in: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> Path:
    return swept(tmp_path_factory.mktemp("swept"), trial_in, sweep_record)


@pytest.fixture(scope="package")
def page(database: Path) -> Page:
    with reading(database) as connection:
        return read_page(connection, runs=database.parent / "runs")


@pytest.fixture(scope="package")
def written(page: Page, database: Path) -> Path:
    return write_page(page, database.parent / "out")


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("no chromium on this machine")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


def until(page: Any, condition: str) -> None:
    """Wait for a condition. Its policy forbids the page to run texts, and so what Playwright has for this."""
    for _ in range(600):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never {condition}")


class Shown:
    """A page that is open, with what it said and what it asked for."""

    def __init__(self, browser: Any, address: str, width: int = 1400, scheme: str = "light") -> None:
        self.context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
        self.page, self.said, self.asked = self.context.new_page(), [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)
        self.wait()

    def wait(self) -> None:
        """Wait until all charts are drawn."""
        self.page.wait_for_selector("body[data-ready]")


@pytest.fixture(scope="package")
def shown(browser: Any, written: Path) -> Iterator[Shown]:
    """The page, opened once; a test leaves it as it found it."""
    opened = Shown(browser, written.as_uri())
    yield opened
    opened.context.close()
