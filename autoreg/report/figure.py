"""Reports: a view's rows, drawn and written as pictures and CSV with their provenance."""

import json
import textwrap
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import polars as pl
from matplotlib.figure import Figure

from autoreg.config.group import setting_labels
from autoreg.config.sweep import Sweep, load_definition
from autoreg.config.sweep_file import load_sweep
from autoreg.database.connection import add_view, path_of, query
from autoreg.database.schema import Connection
from autoreg.errors import ConfigError, DataError
from autoreg.files import write_bytes, write_text
from autoreg.packaged import figure_names, find_sweep, sweep_names
from autoreg.report.figures.notes import add_note
from autoreg.report.figures.source import FigureSource
from autoreg.report.figures.style import SETTINGS, fonts_for
from autoreg.report.formats import as_csv
from autoreg.report.provenance import made_by, trained_with, versions
from autoreg.report.published import published_points

#: The figure that fits every sweep, also those that name others.
OF_ANY_SWEEP = "Scores"
#: What a figure can be written as.
FORMATS = ("png", "pdf", "svg", "csv")
DEFAULT_FORMATS = ("png", "pdf", "csv")


@dataclass(frozen=True)
class FigureRows:
    """What a figure shows.

    Attributes:
        source: where it comes from.
        frame: its view's rows, of one sweep, one definition and one split.
        published: the paper's points that stand behind them; may be empty.
        sweep_id: the sweep's.
        definition: `released` or `text`.
        missing: one line for each setting that lacks trials.
        choices: how many sweeps it could be of, this one being the latest.
        threshold: the sweep's own of |r|, from which on units are similar; None where it names none.
        trained_with: the versions, commits and machines of the sweep's trials.
        unmeasured: the sweep's trials that are trained but not measured; None for a figure of a user's own.
        departures: what the sweep's trials have and the paper's have not, though no series names it.
    """

    source: FigureSource
    frame: pl.DataFrame
    published: pl.DataFrame
    sweep_id: str
    definition: str
    missing: list[str]
    choices: int = 1
    threshold: float | None = None
    trained_with: dict[str, str] = field(default_factory=dict)
    unmeasured: pl.DataFrame | None = None
    departures: str | None = None

    @property
    def sweep(self) -> str | None:
        """The sweep's name, where the view has it."""
        return self.frame["sweep"][0] if "sweep" in self.frame.columns else None

    @property
    def trials(self) -> list[str]:
        """The trials whose numbers it shows."""
        if "trials" not in self.frame.columns:
            return []
        return sorted({trial for cell in self.frame["trials"].to_list() for trial in cell})

    @property
    def measured(self) -> str:
        """What the picture says of how its scores were measured, as far as its view has that."""
        columns, told = self.frame.columns, []
        if "split" in columns:
            told.append(f"{self.frame['split'][0]} split")
        if "definition" in columns:
            told.append(f"{self.definition} definition")
        if "similar_units" in columns and self.threshold is not None:
            told.append(f"similar from |r| = {self.threshold:g} on")
        return ", ".join(told)

    @property
    def remarks(self) -> list[str]:
        """What the picture says below itself: which of several sweeps it shows, what is missing, what has no font."""
        remarks = []
        if self.choices > 1:
            remarks.append(f"sweep {self.sweep or ''} ({self.sweep_id}), the latest of {self.choices} with this figure")
        if self.missing:
            remarks.append(f"incomplete, missing {_few(self.missing)}")
        if self.departures and not self.published.is_empty():
            remarks.append(f"unlike the paper's, our trials have {self.departures}")
        if lacking := fonts_for(self.frame)[1]:
            remarks.append(
                f"boxes stand for {', '.join(f'U+{ord(letter):04X}' for letter in lacking[:8])}"
                f"{', …' if len(lacking) > 8 else ''}, which no font here has"
            )
        return remarks

    def draw(self) -> Figure:
        """Return the figure and what it says below itself. Raises ConfigError if a drawing of the user's own fails."""
        figure = self.source.draw(self.frame, self.published, self.unmeasured)
        if said := [*filter(None, [self.measured]), *self.remarks]:
            lines = [textwrap.fill(line, width=55 * max(1, len(figure.axes[:3]))) for line in said]
            with mpl.rc_context({**SETTINGS, "font.family": fonts_for(self.frame)[0]}):
                add_note(figure, *(line.replace("$", r"\$") for line in lines))
        return figure

    def as_csv(self) -> str:
        """Return the rows with every digit; lists are texts."""
        return as_csv(self.frame.with_columns(pl.col(pl.List(pl.String)).list.join(" ")))

    def write(self, out: Path, formats: Sequence[str] = DEFAULT_FORMATS) -> list[Path]:
        """Write some of `FORMATS` into a folder, and a JSON file with the provenance, and return the files.

        Raises:
            ConfigError: a drawing of the user's own fails.
        """
        name, figure = self.source.path.stem, self.draw()
        for kind in formats:
            write_bytes(out / f"{name}.{kind}", self.as_csv().encode() if kind == "csv" else picture(figure, kind))
        facts = {
            "view": name,
            "definition": self.definition,
            "sweep_id": self.sweep_id,
            "sweep": self.sweep,
            "trials": self.trials,
            "missing": self.missing,
            "versions": {**versions(), "figure": made_by(self.source)},
            "trained_with": self.trained_with,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_text(out / f"{name}.json", json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
        return [out / f"{name}.{kind}" for kind in (*formats, "json")]


def read_figure(
    connection: Connection, figure: FigureSource, definition: str = "released", sweep: str | None = None
) -> FigureRows:
    """Return what a figure shows of results.db.

    Args:
        connection: to results.db.
        figure: one that `find_figures` found.
        definition: `released` or `text`: which of the two definitions of removability and similarity is shown. The
            paper's values are drawn behind the first only, since they were made by it.
        sweep: a sweep's name or id; None takes the latest sweep that feeds this figure.

    Raises:
        ConfigError: there is no such sweep, or the user's own view is wrong.
        DataError: results.db has no trial for it.
    """
    if not figure.is_packaged:
        add_view(connection, figure.view, figure.sql())
        columns = query(connection, f'select * from "{figure.view}" limit 0').columns
        if "sweep_id" not in columns:
            raise ConfigError(f"{figure.path}: a figure needs a column sweep_id, got {', '.join(columns)}")
    sweep_id, choices = _find_sweep(connection, figure, sweep)
    frame = query(connection, f'select * from "{figure.view}" where sweep_id = $sweep_id', sweep_id=sweep_id)
    missing = missing_trials(connection, sweep_id)
    threshold = _definition(connection, sweep_id).measure.metrics.get("similarity", {}).get("threshold")
    if "definition" in frame.columns:
        frame = frame.filter(pl.col("definition") == definition)
    if "split" in frame.columns:  # the test split, or the only one that was measured
        splits = frame["split"].unique().sort().to_list()
        frame = frame.filter(split="test" if "test" in splits or not splits else splits[-1])
    published = published_points(connection, figure.name, frame, definition)
    if frame.is_empty():
        lacking = f"; missing: {_few(missing)}" if missing else ""
        raise DataError(f"figure {figure.name} has no measured trial yet in {path_of(connection)}{lacking}")
    frame = frame.sort([name for name in frame.columns if not isinstance(frame.schema[name], pl.List)])
    done = "from final_trials where sweep_id = $sweep_id and status = 'done'"
    sql = f"from ({done}) anti join trial_scores using (sweep_id, trial_id) order by all"  # what is in no mean
    unmeasured = query(connection, sql, sweep_id=sweep_id) if figure.is_packaged else None
    departs = query(connection, "select departures from departures where sweep_id = $id", id=sweep_id)
    return FigureRows(
        figure, frame, published, sweep_id, definition, missing, choices, threshold,
        trained_with(connection, sweep_id), unmeasured, departs.item() if departs.height else None,
    )  # fmt: skip


def _few(missing: Sequence[str]) -> str:
    return "; ".join(missing[:3]) + (f"; … ({len(missing)} settings)" if len(missing) > 3 else "")


def picture(figure: Figure, kind: str, *, transparent: bool = False) -> bytes:
    """Return a figure as `png`, `pdf` or `svg`: the same bytes for the same figure."""
    dates = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
    file = BytesIO()
    with mpl.rc_context(SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from")  # the remarks say it
        figure.savefig(file, format=kind, dpi=160, metadata=dates.get(kind), transparent=transparent)
    return file.getvalue()


def figures_with_data(connection: Connection, sweep: str | None = None) -> list[str]:
    """Return the figures for which results.db has a sweep, or that of the given name or id."""
    where = "$sweep is null or $sweep in (name, sweep_id)"
    fed = query(connection, f"select figure from sweep_figures join sweeps using (sweep_id) where {where}", sweep=sweep)
    return [name for name in figure_names() if name in fed["figure"]]


def missing_trials(connection: Connection, sweep_id: str) -> list[str]:
    """Return one line for each setting of a sweep that lacks final trials: how many, and why where it is known."""
    finals = query(connection, "select group_id, state from final_trial_states where sweep_id = $id", id=sweep_id)
    lines = []
    groups = _definition(connection, sweep_id).groups()
    for group, label in zip(groups, setting_labels(groups), strict=True):
        states = Counter(finals.filter(pl.col("group_id") == group.template.config_id)["state"].to_list())
        states["not run"] += group.final_count - states.total()
        lacking = {state: count for state, count in states.items() if count > 0 and state != "measured"}
        if lacking:
            counts = ", ".join(f"{count} {state}" for state, count in lacking.items())
            lines.append(f"{label}: {sum(lacking.values())} of {group.final_count} trials ({counts})")
    return lines


def _definition(connection: Connection, sweep_id: str) -> Sweep:
    rows = query(connection, "select definition::varchar as definition from sweeps where sweep_id = $id", id=sweep_id)
    return load_definition(rows["definition"][0])


def _find_sweep(connection: Connection, figure: FigureSource, sweep: str | None) -> tuple[str, int]:
    """Return the id of the sweep to show, the latest of that name or id that feeds the figure, and how many do."""
    fed = query(connection, "select sweep_id, name from sweeps order by updated_at desc")
    if figure.name != OF_ANY_SWEEP or not figure.is_packaged:
        own = f'"{figure.view}" where $name is not null'
        rows = "sweep_figures where figure = $name" if figure.is_packaged else own
        shown = query(connection, f"select distinct sweep_id from {rows}", name=figure.name)
        fed = fed.filter(pl.col("sweep_id").is_in(shown["sweep_id"].to_list()))
    if sweep:
        there = ", ".join(fed["name"].unique(maintain_order=True)) or "none"
        fed = fed.filter((pl.col("name") == sweep) | (pl.col("sweep_id") == sweep))
        if fed.is_empty():
            raise ConfigError(f"no sweep {sweep!r} feeds figure {figure.name} (those in results.db that do: {there})")
    if fed.is_empty():
        makers = [name for name in sweep_names() if figure.name in load_sweep(find_sweep(name)).sweep.figures]
        advice = "; run: " + " or ".join(f"autoreg sweep sweeps/{name}.yaml" for name in makers) if makers else ""
        raise DataError(f"figure {figure.name} needs trials, and results.db has no sweep that feeds it{advice}")
    return fed["sweep_id"][0], fed.height
