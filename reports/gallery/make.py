"""Make the gallery's pictures and tables again, of all entries or of those that are named: `make gallery`.

An entry is a folder here. `entry.yaml` says what it shows, and `runs.tar.xz` has what that is made from (`pack.py`): an
unpacked run folder without weights, of which `autoreg rebuild` makes a results.db. An entry without them is as an older
version drew it.
"""

import json
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from autoreg.database.connection import opened_for_writing
from autoreg.database.writer import rebuild
from autoreg.report.figure import read_figure
from autoreg.report.figures.source import FigureSource, find_figures
from autoreg.report.page.write import read_page, write_page
from autoreg.report.table import read_table
from autoreg.runs.folder import Runs

GALLERY = Path(__file__).parent
ENTRY, SOURCE = "entry.yaml", "runs.tar.xz"


def entries() -> list[Path]:
    """Return the entries that can be made again."""
    return [path.parent for path in sorted(GALLERY.glob(f"*/{ENTRY}"))]


def read(entry: Path) -> dict[str, Any]:
    """Return what `entry.yaml` says: its `figures`, its `tables`, files `beside` them, and whether it has a `page`."""
    wanted = yaml.safe_load((entry / ENTRY).read_text(encoding="utf-8"))
    return {"figures": [], "tables": [], "beside": [], "page": False} | wanted


def figures_of(entry: Path) -> list[FigureSource]:
    """Return the figures that an entry shows; SQL files lie in its folder."""
    names = map(str, read(entry)["figures"])
    return [source for name in names for source in find_figures(str(entry / name) if name.endswith(".sql") else name)]


def make(entry: Path, out: Path) -> None:
    """Make what an entry shows, in another folder or in its own."""
    with TemporaryDirectory() as scratch:
        runs, database = Path(scratch, "runs"), Path(scratch, "results.db")
        with tarfile.open(entry / SOURCE) as archive:
            archive.extractall(runs, filter="data")
        trials, problems = rebuild(database, Runs(runs))
        if problems:
            sys.exit("\n".join(problems))
        with opened_for_writing(database, patience=0) as connection:  # since reading locks its settings
            connection.execute("set threads = 1")  # sums come out the same to the last digit
            for source in figures_of(entry):
                facts = out / f"{source.path.stem}.json"
                before = json.loads(facts.read_text(encoding="utf-8")) if facts.exists() else {}
                read_figure(connection, source).write(out, ["png", "csv"])
                after = json.loads(facts.read_text(encoding="utf-8"))
                if after | {"made_at": None} == before | {"made_at": None}:  # nothing new: it keeps its date
                    facts.write_text(json.dumps(before, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            for name in read(entry)["tables"]:
                read_table(connection, name).write(out, ["csv"])
            if read(entry)["page"]:
                write_page(read_page(connection), out)
    print(f"{entry.name}: {trials} trials")


if __name__ == "__main__":
    for folder in [GALLERY / name for name in sys.argv[1:]] or entries():
        make(folder, folder)
