"""The page in a real browser: pointer, clicks, search, switches, dark, phone, print, assistive technology."""

import re
from pathlib import Path
from typing import Any

from tests.helpers.swept import FIRST, LATER, PLANTED, accuracy_of
from tests.report.page.conftest import Shown, until

#: The latest sweep's section, which comes first, and its chart of accuracies.
SWEEP = f"#s-{LATER}"
DOT = f'{SWEEP} [data-chart=width] figure:nth-of-type(1) [aria-label^="σ = 1 at 4×"]'


def point_at(page: Any, selector: str) -> None:
    box = page.locator(selector).first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def obstacles(page: Any) -> list[tuple[str, str]]:
    """Return what axe-core finds to stand in the way of assistive technology."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found]


def test_it_is_shown_without_a_complaint_a_request_or_an_obstacle(shown: Shown) -> None:
    page = shown.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 1400
    assert obstacles(page) == []
    assert shown.said == []
    assert [url for url in shown.asked if not url.startswith(("file:", "data:"))] == []
    assert page.title().startswith("results.db")
    assert page.locator("img[src=x]").count() == 0


def test_so_it_is_on_a_dark_phone(browser: Any, written: Path) -> None:
    shown = Shown(browser, written.as_uri(), width=390, scheme="dark")
    page, background = shown.page, "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert obstacles(page) == []
    before = page.evaluate(background)
    page.click("#theme")
    assert page.evaluate(background) != before
    assert shown.said == []
    shown.context.close()


def test_the_pointer_and_the_arrow_keys_say_values_with_their_trial(shown: Shown, database: Path) -> None:
    import duckdb

    page = shown.page
    page.locator(DOT).first.scroll_into_view_if_needed()
    point_at(page, DOT)
    told = page.inner_text("#tip")
    sql = (
        "select trial_id from trials where kind = 'final' and width = 4 and initializer like '%1.0%' and replicate = 0"
    )
    with duckdb.connect(str(database), read_only=True) as connection:
        [[trial]] = connection.execute(sql).fetchall()
    assert "Test accuracy at 4×" in told
    assert f"σ = 1, replicate 0: {100 * accuracy_of(4.0, 1.0, 0):.1f} %, trial {trial[:8]}-r0" in told
    assert "σ = 0.01" in told  # the other series at that width, too
    page.focus(f"{SWEEP} [data-chart=width] figure:nth-of-type(2) .chart")
    page.keyboard.press("ArrowRight")
    assert re.match(r"σ = .* at ¼×: AUC 0\.\d{3}$", page.inner_text("#say"))


def test_a_click_filters_the_table_and_fades_other_curves(shown: Shown) -> None:
    page, rows = shown.page, f"{SWEEP} .trials tbody tr:not(.more)"
    assert page.locator(rows).count() == 12
    page.locator(DOT).first.scroll_into_view_if_needed()
    point_at(page, DOT)
    page.mouse.down()
    page.mouse.up()
    shown.wait()
    assert set(page.locator(f"{rows} td:nth-child(3)").all_inner_texts()) == {"4×"}
    assert page.locator(f"{SWEEP} [data-chart=curves] path[opacity='0.18']").count() > 0
    page.get_by_role("button", name="Show all again").click()
    assert page.locator(rows).count() == 12


def test_trials_are_searched_and_sorted(shown: Shown) -> None:
    page, rows = shown.page, f"{SWEEP} .trials tbody tr:not(.more)"
    page.fill(f"{SWEEP} [data-search]", "4× failed")
    assert page.locator(rows).count() == 1
    page.fill(f"{SWEEP} [data-search]", "")
    page.click(f"{SWEEP} th[data-sort=test] button")
    page.click(f"{SWEEP} th[data-sort=test] button")
    shown = [float(text) for text in page.locator(f"{rows} td:nth-child(10)").all_inner_texts()]
    assert shown == sorted(shown, reverse=True)
    assert page.get_attribute(f"{SWEEP} th[data-sort=test]", "aria-sort") == "descending"
    page.select_option(f"{SWEEP} [data-kind]", "tune")
    assert page.locator(rows).count() == 18
    page.select_option(f"{SWEEP} [data-kind]", "final")


def test_a_trial_opens_with_its_configuration_log_and_files_as_text(shown: Shown) -> None:
    page = shown.page
    page.fill(f"{SWEEP} [data-search]", "failed")
    page.click(f"{SWEEP} .trials [data-open]")
    page.click(f"{SWEEP} .detail summary")
    told = page.inner_text(f"{SWEEP} .detail")
    for text in (f"it broke {PLANTED}", f"the end {PLANTED}", "initializer: normal sigma=1", "learning_rate: 0.1"):
        assert text in told
    assert re.search(r"runs/[0-9a-f]{16}-r1/", told)
    assert page.locator(f"{SWEEP} .detail svg polyline").count() == 1
    page.click(f"{SWEEP} .trials [data-open]")
    page.fill(f"{SWEEP} [data-search]", "")
    assert "taken" not in page.title()
    assert shown.said == []


def test_a_chart_is_enlarged_and_zoomed(shown: Shown) -> None:
    page = shown.page
    page.click(f"{SWEEP} [data-chart=width] .enlarge >> nth=1")
    page.wait_for_selector("#zoom[data-ready] svg")
    ticks = "[...document.querySelectorAll('#zoom .role-axis-label text')].map(text => text.textContent).join()"
    before, box = page.evaluate(ticks), page.locator("#zoom svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -400)
    until(page, f"{ticks} !== {before!r}")
    page.keyboard.press("Escape")
    assert not page.evaluate("document.getElementById('zoom').open")
    assert shown.said == []


def test_it_prints_with_all_rows(shown: Shown) -> None:
    shown.page.evaluate(
        "addEventListener('beforeprint', () => { window.rows = document.querySelectorAll('.trials tbody tr').length })"
    )
    printed = shown.page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 20
    assert shown.page.evaluate("window.rows") == 24


def test_switches_change_what_is_shown(shown: Shown) -> None:
    page, panel = shown.page, f"{SWEEP} [data-chart=width] figure:nth-of-type"
    assert page.locator(f"{panel}(1) [aria-label^='σ = 0.01 at']").count() == 6
    page.click(f"{SWEEP} .chip >> nth=0")
    shown.wait()
    assert page.locator(f"{panel}(1) [aria-label^='σ = 0.01 at']").count() == 0
    assert page.locator(f"{panel}(1) [aria-label^='σ = 1 at']").count() == 5  # without the failed one
    auc = f"{panel}(2) [aria-label^='σ = 1 at']"
    before = page.locator(auc).evaluate_all("marks => marks.map(mark => mark.getAttribute('aria-label'))")
    page.click(f"{SWEEP} [data-key=definition][data-value=text]")
    shown.wait()
    assert page.locator(auc).evaluate_all("marks => marks.map(mark => mark.getAttribute('aria-label'))") != before
    for key in ("x", "y"):
        axis = f"{panel}(3) .mark-text.role-axis-label text"
        labels = page.locator(axis).evaluate_all("texts => texts.map(text => text.getAttribute('transform'))")
        page.click(f"{SWEEP} [data-key={key}][data-value=linear]")
        shown.wait()
        assert page.locator(axis).evaluate_all("texts => texts.map(text => text.getAttribute('transform'))") != labels
    lines = f"{panel}(1) path[stroke-dasharray='4,3']"
    assert page.locator(lines).count() > 0
    page.click(f"{SWEEP} [data-key=paper][data-value=off]")
    shown.wait()
    assert page.locator(lines).count() == 0
    for key, value in (("curve", "vl"), ("of", "tune"), ("search", "best"), ("layer", "dead"), ("accuracy", "train")):
        page.click(f"{SWEEP} [data-key={key}][data-value={value}]")
        shown.wait()
    assert page.locator(f"#s-{FIRST} .chip[aria-pressed=false]").count() == 0  # the other sweep is as it was
    assert shown.said == []
