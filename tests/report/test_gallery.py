"""The gallery: each entry can be made again from what lies beside it, and was, since its SQL and drawings changed."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from autoreg.report.provenance import made_by

ROOT = Path(__file__).parents[2]
GALLERY = ROOT / "reports" / "gallery"
FOLDERS = sorted(path.parent.name for path in GALLERY.glob("*/figure_*.json"))
ENTRIES = sorted(path.parent.name for path in GALLERY.glob("*/entry.yaml"))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_gallery", GALLERY / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ENTRIES)
def test_every_picture_is_made_by_the_views_and_drawings_of_today(name: str, script: ModuleType) -> None:
    figures = {source.path.stem: source for source in script.figures_of(GALLERY / name)}
    facts = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in GALLERY.glob(f"{name}/*.json")}
    today = {stem: made_by(source) for stem, source in figures.items()}
    assert {stem: each["versions"]["figure"] for stem, each in facts.items()} == today, "run `make gallery`"


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_has_what_it_says_and_nothing_else(name: str, script: ModuleType) -> None:
    figures = script.figures_of(GALLERY / name)
    made = {f"{source.path.stem}.{kind}" for source in figures for kind in ("png", "csv", "json")}
    entry = script.read(GALLERY / name)
    beside = {
        *(f"table_{table}.csv" for table in entry["tables"]),
        *entry["beside"],
        *(["report.html"] if entry["page"] else []),
    }
    own = {
        path.name for source in figures if not source.is_packaged for path in GALLERY.glob(f"{name}/{source.name}.*")
    }
    assert {path.name for path in (GALLERY / name).iterdir()} == {"entry.yaml", "runs.tar.xz", *made, *beside, *own}


@pytest.mark.parametrize("name", sorted({*FOLDERS} - {*ENTRIES}))
def test_the_gallery_says_which_entries_an_older_version_drew(name: str) -> None:
    [row] = [line for line in (GALLERY / "README.md").read_text(encoding="utf-8").splitlines() if f"| [{name}]" in line]
    assert "older drawing" in row


def test_an_entry_that_is_made_again_has_the_same_numbers(script: ModuleType, tmp_path: Path) -> None:
    script.make(GALLERY / "quickstart", tmp_path)
    assert (tmp_path / "figure_b5.csv").read_bytes() == (GALLERY / "quickstart" / "figure_b5.csv").read_bytes()


def test_all_that_the_gallery_is_made_from_is_small() -> None:
    assert sum(path.stat().st_size for path in GALLERY.glob("*/runs.tar.xz")) <= 20e6
