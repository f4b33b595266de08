"""The page as a file: whole in itself, with a section for every sweep, whatever stands in names and errors."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from autoreg.database.connection import reading
from autoreg.errors import ConfigError, DataError
from autoreg.report.figure import read_figure
from autoreg.report.figures.source import find_figures
from autoreg.report.page import compact, epochs
from autoreg.report.page.figures import drawn
from autoreg.report.page.trials import read_trials
from autoreg.report.page.write import Page, read_page, write_page
from autoreg.runs.folder import TrialFolder
from tests.helpers.swept import FIRST, LATER, PLANTED, accuracy_of

OWN = """\
-- Widest layers, whatever they are.
-- grain: sweep_id, definition, series, width
-- drawing: width_panels effective_rank
select sweep_id, definition, split, series, width, network, dataset, 2 * width as effective_rank, 1 as replicates
from scores_by_width
"""


def test_every_sweep_has_its_figures_whatever_came_later(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    for part in ("found", "width", "claims", "curves", "searches", "layers", "paper", "trials", "origin"):
        for sweep in (FIRST, LATER):
            assert f'id="{part}-{sweep}"' in text
    assert text.count("Figure B5") == 2


def test_it_points_to_nothing_outside(written: Path) -> None:
    found: list[str] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value or "" for name, value in attrs if name in ("src", "href", "srcset", "action"))

    Links().feed(written.read_text(encoding="utf-8"))
    assert found
    assert all(link.startswith(("data:", "#")) for link in found)


def test_what_a_stranger_wrote_ends_no_script_and_is_no_markup(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    assert PLANTED not in text
    assert "<img src=x" not in text
    [data] = re.findall(rf'id="data-{FIRST}">(.*?)</script>', text)
    assert json.loads(data)["trials"]["error"]["of"] == [f"it broke {PLANTED}"]


def test_its_rows_are_those_of_the_database(page: Page) -> None:
    data = page.sweeps[0]["data"]
    trials = {name: compact_cells(column) for name, column in data["trials"].items()}
    assert trials["kind"] == ["final"] * 12 + ["tune"] * 18
    sigmas = {"σ = 0.01": 0.01, "σ = 1": 1.0}
    for width, series, replicate, test in zip(
        *(trials[name][:12] for name in ("width", "series", "replicate", "test")), strict=True
    ):
        assert test == pytest.approx(accuracy_of(width, sigmas[series], replicate))
    assert trials["state"].count("failed") == 1
    assert trials["state"].count("pruned") == 6
    assert page.sweeps[0]["counts"] == {"final": 12, "tuning": 18, "settings": 6}


def compact_cells(column: Any) -> list[Any]:
    if isinstance(column, list):
        return column
    return [None if place is None else column["of"][place] for place in column["at"]]


def test_compact_columns_keep_every_value() -> None:
    frame = pl.DataFrame({"a": ["x", None, "x"], "b": [1.0, float("nan"), 0.123456789], "c": [1, 2, None]})
    assert compact.columns(frame) == {
        "a": {"of": ["x"], "at": [0, None, 0]}, "b": [1, None, 0.12346], "c": [1, 2, None],
    }  # fmt: skip


def test_too_many_epochs_are_thinned_and_said_to_be(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "MOST_EPOCHS", 20)
    monkeypatch.setattr(epochs, "POINTS", 2)
    with reading(database) as connection:
        kept, told = epochs.read_epochs(connection, FIRST, read_trials(connection, FIRST)["id"].to_list())
    of_finals = kept.filter(pl.col("trial") < 12).group_by("trial", maintain_order=True).agg("epoch")
    assert of_finals["epoch"].to_list() == [[1, 2, 4]] * 12
    assert told == "Of training curves 72 of 84 epochs are here, some 2 of each."


def test_figures_of_ones_own_come_in_as_charts_of_any_column_or_as_pictures(database: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.sql").write_text(OWN, encoding="utf-8")
    (tmp_path / "drawn.sql").write_text(OWN.replace("-- drawing: width_panels effective_rank\n", ""), encoding="utf-8")
    beside = tmp_path / "drawn.py"
    beside.write_text("from matplotlib.figure import Figure\ndef draw(frame, published):\n    return Figure()\n")
    own = [*find_figures(str(tmp_path / "mine.sql")), *find_figures(str(tmp_path / "drawn.sql"))]
    with reading(database) as connection:
        page = read_page(connection, sweep=FIRST, own=own)
        beside.write_text("def draw(frame, published):\n    raise ValueError('no')\n")
        with pytest.raises(ConfigError, match="its drawing failed: ValueError: no"):
            drawn(read_figure(connection, own[1], sweep=FIRST))
    chart, picture = page.sweeps[0]["figures"]
    [panel] = chart["panels"]
    assert panel["title"] == "Effective rank"
    assert panel["rows"]["y"] == [2 * width for width in panel["rows"]["x"]]
    text = page.html()
    assert f'id="figure-mine-{FIRST}"' in text
    assert f'<img src="{picture["picture"]}"' in text
    assert picture["picture"].startswith("data:image/svg+xml;base64,")


def test_without_a_sweep_there_is_no_page(tmp_path: Path, fill_in: Callable[..., Path]) -> None:
    with (
        reading(fill_in(tmp_path)) as connection,
        pytest.raises(DataError, match=r"results.db has no sweep 'other' yet"),
    ):
        read_page(connection, sweep="other")


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"drop": 8}, "None of 8 networks is trained (8 not run)."),
        ({"definition": {"name": "old", "of": "another version"}}, "This sweep was run by another version"),
    ],
)
def test_a_sweep_without_results_or_of_another_version_says_so(
    tmp_path: Path, fill_in: Callable[..., Path], changes: dict[str, Any], answer: str
) -> None:
    with reading(fill_in(tmp_path, **changes)) as connection:
        assert answer in read_page(connection).html()


def test_a_sweep_whose_trials_all_failed_says_so(
    tmp_path: Path, trial_in: Callable[..., TrialFolder], sweep_record: Callable[..., Any]
) -> None:
    from autoreg.database.writer import rebuild
    from autoreg.runs.folder import Runs
    from tests.helpers.records import write_record

    runs = Runs(tmp_path / "runs")
    made = trial_in(runs)
    made.write_result(made.read_result().model_copy(update={"status": "failed", "error": "out of memory"}))
    write_record(runs, sweep_record([made]))
    rebuild(tmp_path / "results.db", runs)
    with reading(tmp_path / "results.db") as connection:
        text = write_page(read_page(connection, runs=tmp_path / "runs"), tmp_path).read_text(encoding="utf-8")
    assert "None of 1 network is trained (1 failed)." in text
    assert "out of memory" in text
