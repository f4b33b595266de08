"""The page of all results: whole in itself, and looked at in a real browser."""

import re
import shutil
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from autoreg.config.trial import Choice
from autoreg.database.connection import reading
from autoreg.errors import DataError
from autoreg.report.page import report_page

CHROMIUM = shutil.which("chromium")
#: What a browser would otherwise do of its own accord, none of which has to do with the page.
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--no-first-run",
]  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, fill_in: Callable[..., Path]) -> Path:
    folder = tmp_path_factory.mktemp("page")
    settings, figures = {"dataset": Choice(name="cifar10")}, ["6", "1c", "B7"]
    database = fill_in(folder, network="alexnet", settings=settings, figures=figures, drop=1, name="<b>sweep</b>")
    with reading(database) as connection:
        return report_page(connection, folder / "out")


def test_it_has_every_figure_table_and_sweep(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for part in ("figure-6", "figure-1c", "figure-B7", "table-verdicts", "table-1", "table-comparison", "sweeps"):
        assert f'id="{part}"' in text
    assert len(re.findall(r"data:image/svg\+xml;base64,", text)) == 4  # with the residuals
    assert "Incomplete: settings that lack trials: 1" in text


def test_what_files_say_is_text_and_no_markup(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "<b>sweep</b>" not in text
    assert "&lt;b&gt;sweep&lt;/b&gt;" in text


def test_it_points_to_nothing_outside(page: Path) -> None:
    found: list[str] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value or "" for name, value in attrs if name in ("src", "href", "srcset", "action"))

    Links().feed(page.read_text(encoding="utf-8"))
    assert found
    assert all(link.startswith(("data:", "#")) for link in found)


def test_without_a_sweep_there_is_no_page(tmp_path: Path, fill_in: Callable[..., Path]) -> None:
    with (
        reading(fill_in(tmp_path)) as connection,
        pytest.raises(DataError, match=r"results.db has no sweep 'other' yet"),
    ):
        report_page(connection, tmp_path / "out", sweep="other")
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("no chromium on this machine")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1200, 900), (360, 700)])
def test_a_browser_shows_it_without_a_complaint_or_a_request(
    browser: Any, page: Path, scheme: str, size: tuple[int, int]
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": size[0], "height": size[1]})
    shown, said, asked = context.new_page(), [], []
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.on("request", lambda request: asked.append(request.url))
    shown.goto(page.as_uri())
    assert all(shown.evaluate("[...document.images].filter(i => i.getAttribute('src')).map(i => i.naturalWidth > 100)"))
    assert shown.evaluate("document.documentElement.scrollWidth") <= size[0]

    background = "getComputedStyle(document.body).backgroundColor"
    before = shown.evaluate(background)
    shown.click("#theme")
    assert shown.evaluate(background) != before

    shown.click("[data-zoom] >> nth=0")
    assert shown.evaluate("document.getElementById('zoom').open")
    shown.mouse.move(size[0] / 2, size[1] / 2)
    shown.mouse.wheel(0, -400)
    shown.wait_for_function("document.querySelector('dialog img').style.transform.includes('scale(2.7')")
    shown.keyboard.press("Escape")
    assert not shown.evaluate("document.getElementById('zoom').open")

    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    context.close()
