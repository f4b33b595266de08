"""What a report was made with."""

from pathlib import Path

import pytest

from autoreg.report import provenance
from autoreg.report.figures.source import find_figures


def test_a_figure_is_made_by_another_view_once_one_that_it_reads_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    [figure] = find_figures("6")
    before, texts = provenance.made_by(figure), provenance.view_texts()
    for view, is_read in (("similar_units", True), ("prunability", False)):
        monkeypatch.setattr(provenance, "view_texts", lambda view=view: {**texts, view: f"{texts[view]} -- changed"})
        assert (provenance.made_by(figure) != before) == is_read


def test_a_figure_of_the_users_own_is_made_by_the_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mine.sql").write_text("select sweep_id from scores")
    (tmp_path / "mine.py").write_text("def draw(frame, published): ...")
    [figure] = find_figures(str(tmp_path / "mine.sql"))
    before = provenance.made_by(figure)
    (tmp_path / "mine.py").write_text("def draw(frame, published): return 1")
    assert provenance.made_by(figure) != before
