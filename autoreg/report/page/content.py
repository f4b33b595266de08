"""What the section of one sweep shows: the words for the template, and the rows for the script."""

import shlex
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import polars as pl

from autoreg.database.connection import query
from autoreg.database.schema import Connection
from autoreg.errors import DataError
from autoreg.files import as_file_name
from autoreg.report.figure import figures_with_data, missing_trials, read_figure
from autoreg.report.figures.source import FigureSource, find_figures
from autoreg.report.figures.style import series_order, width_label
from autoreg.report.findings import cautions, findings
from autoreg.report.findings.wording import counted
from autoreg.report.formats import numeric_columns, shown_cells
from autoreg.report.page.claims import read_claims
from autoreg.report.page.compact import columns
from autoreg.report.page.epochs import read_epochs
from autoreg.report.page.figures import drawn, shows_scores
from autoreg.report.page.layers import read_layers
from autoreg.report.page.origin import read_origin
from autoreg.report.page.trials import MOST_LOGS, configurations, log_ends, read_trials, scores_of
from autoreg.report.table import THRESHOLD, read_table
from autoreg.runs.folder import Runs

#: Replicates of a setting and width that are dots; more of them are a mean and its interval.
MOST_DOTS = 10


def read_sweep(
    connection: Connection, status: dict[str, Any], definition: str, runs: Runs | None, own: Sequence[FigureSource]
) -> dict[str, Any]:
    """Return what the template takes of a sweep, and below `data` what the script takes.

    Args:
        connection: to results.db.
        status: the sweep's row of `sweep_status`.
        definition: the one that is shown first.
        runs: the run folder, for the ends of logs; None leaves them out.
        own: figures of the user's own.
    """
    key = status["sweep_id"]
    trials = read_trials(connection, key)
    ids, scores = trials["id"].to_list(), scores_of(connection, key, trials)
    epochs, thinned = read_epochs(connection, key, ids)
    sources = [source for name in figures_with_data(connection, key) for source in find_figures(name)]
    layers, paper, claims = read_layers(connection, key), _paper(connection, key), read_claims(connection, key)
    finals, tuning = trials.filter(kind="final"), trials.filter(kind="tune")
    figures = [] if status["final_trials"] is None else _figures(connection, key, definition, [*sources, *own])
    logs = log_ends(runs, trials)
    left_out = [thinned] if thinned else []
    if runs and trials.height > MOST_LOGS:
        left_out.append(
            f"The ends of {MOST_LOGS:,} of {trials.height:,} logs are here: first those of what went wrong."
        )
    widths = trials["width"].unique().sort().to_list()
    series = series_order(trials["series"].drop_nulls())
    data: dict[str, Any] = {
        "series": series,
        "widths": widths,
        "widthNames": [width_label(width) for width in widths],
        "definition": definition if definition in scores else next(iter(scores), definition),
        "trials": columns(trials.drop("config")),
        "logs": columns(pl.DataFrame({"log": logs}, schema={"log": pl.String})),
        "configs": configurations(trials["config"].to_list()),
        "scores": {name: {split: columns(rows) for split, rows in of.items()} for name, of in scores.items()},
        "epochs": columns(epochs),
        "layers": columns(layers),
        "paper": columns(paper),
        "ceiling": _ceilings(connection, key),
        "quantiles": _quantiles(finals),
        "rows": _rows_of_panels(connection, key, sources, series),
        "figures": [figure for figure in figures if "panels" in figure],
    }
    facts, file = _facts(connection, key), f"{as_file_name(status['name'])}.yaml"
    return {
        **status,
        "summary": _summary(facts, series, data["widthNames"], finals),
        "found": {
            name: {"findings": findings(connection, key, name), "cautions": cautions(connection, key, name)}
            for name in list(scores) or [definition]
        },
        "is_older": status["final_trials"] is None,
        "counts": {
            "final": finals["id"].n_unique(),
            "tuning": tuning["id"].n_unique(),
            "settings": tuning["group"].n_unique(),
        },
        "threshold": facts["threshold"],
        "definitions": list(scores),
        "splits": list(dict.fromkeys(split for of in scores.values() for split in of)),
        "many": _most_replicates(finals) > MOST_DOTS,
        "feeds": [source.name for source in sources if shows_scores(source)],
        "figures": figures,
        "claims": claims,
        "has_layers": not layers.is_empty(),
        "has_paper": not paper.is_empty(),
        "has_scores": bool(scores),
        "capacity": _table(connection, "capacity", key),
        "richness": _table(connection, "richness", key),
        "paper_claims": _table(connection, "claims", key, [source.name for source in sources]),
        "protocol": _table(connection, "1", key),
        "missing": [] if status["final_trials"] is None else missing_trials(connection, key),
        "origin": read_origin(connection, key),
        "file": file,
        "command": shlex.join(["autoreg", "sweep", file]),
        "left_out": left_out,
        "data": data,
    }


def _summary(facts: dict[str, Any], series: list[str], widths: list[str], finals: pl.DataFrame) -> str:
    """Return one sentence of what was run: `mlp on teacher: 2 series (σ = 0.01, σ = 1) at 3 widths, ¼× to 4×, …`."""
    what = f"{', '.join(facts['network'])} on {', '.join(facts['dataset'])}"
    if finals.is_empty():
        return f"{what}."
    names = f" ({', '.join(series[:8])}{', …' if len(series) > 8 else ''})" if len(series) > 1 else f" ({series[0]})"
    reach = f", {widths[0]} to {widths[-1]}" if len(widths) > 1 else f", {widths[0]}"
    return (
        f"{what}: {counted(len(series), 'series')}{names} at {counted(len(widths), 'width')}{reach}, "
        f"{counted(_most_replicates(finals), 'replicate')} of each."
    )


def _most_replicates(finals: pl.DataFrame) -> int:
    return max(finals.group_by("series", "width").len()["len"].to_list(), default=0)


def _figures(
    connection: Connection, sweep_id: str, definition: str, sources: Sequence[FigureSource]
) -> list[dict[str, Any]]:
    """Return the figures of a sweep that are more than scores against width."""
    made = []
    for source in sources:
        if shows_scores(source):
            continue
        if not source.is_packaged:
            read_figure(connection, source, definition)  # a mistake in the user's file is said, whatever the sweep
            fed = query(connection, f'select 1 from "{source.view}" where sweep_id = $id limit 1', id=sweep_id)
            if fed.is_empty():
                continue
        with suppress(DataError):  # nothing is measured yet
            made.append(drawn(read_figure(connection, source, definition, sweep_id)))
    return made


def _paper(connection: Connection, sweep_id: str) -> pl.DataFrame:
    """Return the published values that this sweep has a counterpart of, each once, against width."""
    sql = """
        select series, width, split, score, paper, ours, difference, reading_error as error, min(figure) as figure
        from table_comparison
        where sweep_id = $id and x = width and figure <> 'B2'
        group by all
        order by score, split, series, width
    """
    return query(connection, sql, id=sweep_id)


def _rows_of_panels(
    connection: Connection, sweep_id: str, sources: Sequence[FigureSource], series: list[str]
) -> list[dict[str, Any]]:
    """Return which series stand in each row of panels: all, or those of a variant where a figure has it so."""
    by_variant = any("rows=variant" in (source.packaged_drawing() or ("", []))[1] for source in sources)
    sql = "select distinct variant, series from final_trials where sweep_id = $id and variant is not null"
    named = query(connection, sql, id=sweep_id) if by_variant else pl.DataFrame()
    if named.is_empty():
        return [{"name": "", "series": list(range(len(series)))}]
    return [
        {
            "name": variant,
            "series": [series.index(name) for name in series_order(named.filter(variant=variant)["series"])],
        }
        for variant in series_order(named["variant"])
    ]


def _ceilings(connection: Connection, sweep_id: str) -> dict[str, int]:
    """Return for each width the most similar units that a unit can have, where networks have one layer that counts."""
    sql = """
        select trials.width, max(units) - 1 as most, count(distinct layer) as layers
        from sweep_trials
        join trials using (trial_id)
        join layers using (trial_id)
        where sweep_id = $id
        group by all
        order by width
    """
    found = query(connection, sql, id=sweep_id)
    return {} if (found["layers"] > 1).any() else {f"{width:g}": most for width, most, _ in found.iter_rows()}


def _quantiles(finals: pl.DataFrame) -> list[float]:
    """Return Student's t for a 95 % interval by the number of replicates, from 0; there is none below 2."""
    from scipy import special

    most = max(finals["replicate"].to_list(), default=0) + 1
    return [0.0, 0.0, *(round(float(special.stdtrit(count - 1, 0.975)), 4) for count in range(2, most + 1))]


def _facts(connection: Connection, sweep_id: str) -> dict[str, Any]:
    """Return the sweep's networks and data, and its threshold of |r|."""
    sql = "select distinct network, dataset from sweep_groups where sweep_id = $id order by all"
    found = query(connection, sql, id=sweep_id)
    threshold = (
        "select (definition -> '$.measure.metrics.similarity.threshold')::double from sweeps where sweep_id = $id"
    )
    [[asked]] = query(connection, threshold, id=sweep_id).rows()
    return {
        **{name: found[name].unique(maintain_order=True).to_list() for name in ("network", "dataset")},
        "threshold": f"{THRESHOLD if asked is None else asked:g}",
    }


def _table(
    connection: Connection, name: str, sweep_id: str, figures: Sequence[str] | None = None
) -> dict[str, Any] | None:
    """Return a table of a report as texts, or of it what is about some figures; None if it has no row of this sweep."""
    try:
        shown = read_table(connection, name, sweep_id).shown.drop("sweep", strict=False)
    except DataError:
        return None
    if figures is not None:
        shown = shown.filter(pl.col("figure").is_in(figures)).drop("place", "vectors")
    if shown.is_empty():
        return None
    head, *rows = shown_cells(shown.with_columns(pl.col(pl.List(pl.String)).list.join(" ")))
    return {"head": head, "rows": rows, "numeric": numeric_columns(shown)}
