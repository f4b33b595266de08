"""The page while a sweep runs: another one as trials end, to its own reader alone."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from autoreg.database.writer import Writer
from autoreg.report.page import serve
from autoreg.report.page.write import read_page
from autoreg.runs.folder import Runs, TrialFolder
from tests.helpers.records import write_record
from tests.helpers.swept import LATER, swept
from tests.report.page.conftest import Shown


@pytest.fixture
def database(tmp_path: Path, trial_in: Callable[..., TrialFolder], sweep_record: Callable[..., Any]) -> Path:
    return swept(tmp_path, trial_in, sweep_record)


@pytest.fixture
def address(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Watch a sweep until the test ends, as by a Ctrl-C, and give the page's address."""
    told: list[str] = []
    begun, over = threading.Event(), threading.Event()

    def sleep(_: float) -> None:
        if over.wait(0.05):
            raise KeyboardInterrupt

    def tell(text: str) -> None:
        told.append(text)
        begun.set()

    def watch() -> None:
        with pytest.raises(KeyboardInterrupt):
            serve.watch_page(database, read_page, tmp_path / "out", tell)

    monkeypatch.setattr(serve, "time", SimpleNamespace(sleep=sleep, monotonic=lambda: 0.0))
    thread = threading.Thread(target=watch)
    thread.start()
    assert begun.wait(60)
    yield told[0].split("\n")[0]
    over.set()
    thread.join(60)
    assert not thread.is_alive()
    assert len(told) == 1


def asked(address: str, path: str = "", host: str | None = None) -> tuple[int, str]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    connection.request(
        "GET", path if path.startswith("/") else parts.path + path, headers={"Host": host or parts.netloc}
    )
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def end_another_trial(database: Path, trial_in: Callable[..., TrialFolder]) -> None:
    runs = Runs(database.parent / "runs")
    made = trial_in(runs, width=2.0)
    record = json.loads(runs.read_sweep(LATER).model_dump_json())
    record["sweep_trials"].append(
        {"trial_id": made.trial_id, "group_id": made.read_config().config_id, "kind": "final"}
    )
    write_record(runs, record)
    writer = Writer(database, runs)
    writer.queue_trial(made)
    writer.queue_sweep(LATER)
    assert writer.commit()


def test_only_who_knows_the_address_is_answered(address: str) -> None:
    status, page = asked(address)
    assert (status, "connect-src 'self'" in page) == (200, True)
    assert asked(address, "/")[0] == 404
    assert asked(address, "/another/version")[0] == 404
    assert asked(address, "../page")[0] == 404
    assert asked(address, host="stranger.example:80")[0] == 404


def test_an_open_page_follows_the_sweep_and_stays_as_the_reader_left_it(
    address: str, database: Path, trial_in: Callable[..., TrialFolder], browser: Any, tmp_path: Path
) -> None:
    shown = Shown(browser, address)
    page, rows = shown.page, f"#s-{LATER} .trials tbody tr:not(.more)"
    assert page.locator(rows).count() == 12
    page.click(f"#s-{LATER} [data-key=x][data-value=linear]")
    page.click(f"#s-{LATER} .chip >> nth=0")
    page.evaluate("scrollTo(0, 900)")
    end_another_trial(database, trial_in)
    page.wait_for_function(f"document.querySelectorAll('{rows}').length === 13")
    page.wait_for_function("scrollY === 900")
    assert page.get_attribute(f"#s-{LATER} [data-key=x][data-value=linear]", "aria-pressed") == "true"
    assert page.get_attribute(f"#s-{LATER} .chip >> nth=0", "aria-pressed") == "false"
    assert shown.said == []
    assert {urlsplit(url).netloc for url in shown.asked if not url.startswith("data:")} == {urlsplit(address).netloc}
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "connect-src" not in text
    assert page.get_attribute("body", "data-version") in text
    shown.context.close()
