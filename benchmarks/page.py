"""The HTML report of 5,000 trials: how long it takes to make and to open, and how large it is.

python -m benchmarks.page [TRIALS]
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from autoreg.database.writer import rebuild
from autoreg.runs.folder import Runs
from benchmarks.generate_trials import generate
from benchmarks.rows import Row, Times, seconds_of

REPETITIONS = 3


def rows(trials: int) -> list[Row]:
    """Return the rows of making the page, and of opening it until its first charts and all of them are drawn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder, trials)
        rebuild(folder / "results.db", Runs(folder / "runs"))
        report = [sys.executable, "-m", "autoreg", "report", "--html"]
        making = Times([seconds_of(lambda: subprocess.run(report, cwd=name, check=True, capture_output=True))])
        path = folder / "reports" / "report.html"
        size = path.stat().st_size / 1e6
        opening, drawing = open_page(path)
    return [
        Row(
            what=f"report --html, {trials:,} trials", against="", ours=str(making), other="", ratio="", reach="≤15 MB",
            reached=size <= 15, limit=f"the page has {size:.1f} MB",
        ),
        Row(
            what="opening that page in Chromium, until its first chart is drawn", against="", ours=str(opening),
            other="", ratio="", reach="≤3 s", reached=opening.typical <= 3, limit=f"all charts: {drawing}",
        ),
    ]  # fmt: skip


def open_page(path: Path) -> tuple[Times, Times]:
    """Return how long it takes until a page has a chart, and until it has all."""
    from playwright.sync_api import sync_playwright

    first, last = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for _ in range(REPETITIONS):
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.goto(path.as_uri(), wait_until="commit")
            page.wait_for_selector(".chart svg")
            first.append(page.evaluate("performance.now()") / 1e3)
            page.wait_for_selector("body[data-ready]", timeout=120_000)
            last.append(page.evaluate("performance.now()") / 1e3)
            page.close()
        browser.close()
    return Times(first), Times(last)


if __name__ == "__main__":
    for row in rows(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000):
        row.emit()
