"""Finished trials of a sweep, as other programs take them: named settings, curves by epoch, scores."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from polars import selectors as cs

from autoreg.config.factors import format_width
from autoreg.config.group import setting_labels
from autoreg.config.sweep import load_definition
from autoreg.config.trial import Choice, content_id
from autoreg.database.connection import query, reading
from autoreg.database.queries import chosen_sweeps
from autoreg.database.schema import Connection
from autoreg.errors import ConfigError, DataError
from autoreg.report.export.exporter import Source

#: Columns of `trials` that are settings, and keys of its config that are too.
SETTINGS = (
    "kind", "network", "dataset", "width", "initializer", "optimizer", "augmentation", "dropout", "weight_decay",
    "random_labels", "learning_rate", "batch_size", "lr_batch_factor", "replicate", "parameters",
)  # fmt: skip
CONFIG = ("epochs", "patience", "weight_average", "precision", "study")
ACCURACIES = ("train_accuracy", "validation_accuracy", "test_accuracy")
CURVES = ("learning_rate", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy")


@dataclass(frozen=True)
class FinishedTrial:
    """One trial that has ended, as one sweep asked for it.

    Attributes:
        sweep, sweep_id, trial_id: as in results.db.
        name: the setting, what tells the trial from others of it, and its id: `mlp 1/4x he_normal r0 0123456789abcdef`.
        kind: `final` or `tune`.
        status: `done`, `failed`, `diverged` or `pruned`.
        settings: by name; what does not exist is left out.
        epochs: by epoch, from 1, those of `CURVES` that were finite.
        scores: `test_accuracy` and so on, and what `trial_scores` has, by split: `test_auc`, `test_similar_units`, …;
            what does not exist is left out.
        definition: that of the scores, `released` or `text`.
        environment: versions, device and data.
        seconds: of training.
        finished_at: UTC.
    """

    sweep: str
    sweep_id: str
    trial_id: str
    name: str
    kind: str
    status: str
    settings: dict[str, Any]
    epochs: dict[int, dict[str, float]]
    scores: dict[str, float]
    definition: str
    environment: dict[str, str]
    seconds: float
    finished_at: datetime

    @property
    def content_id(self) -> str:
        """The hash of all of it, by which an exporter knows what it has written already."""
        return content_id({**asdict(self), "finished_at": self.finished_at.isoformat()})


def finished_trials(
    database: Path, sweep: str | None = None, definition: str = "released"
) -> list[list[FinishedTrial]]:
    """Return the finished trials of each sweep: of the latest of each name, or of the given name or id.

    Args:
        database: results.db. It is closed before they are handed on, since another program may take long to write them.
        sweep: a sweep's name or id; None for all.
        definition: `released` or `text`, of removability and similarity.

    Raises:
        ConfigError: there is no such sweep.
        DataError: results.db has no sweep.
        DatabaseError: it cannot be read.
    """
    with reading(database) as connection:
        ids = chosen_sweeps(connection, sweep)
        if not ids:
            raise DataError(f"{database} has no sweep yet")
        return [_trials_of(connection, sweep_id, definition) for sweep_id in ids]


def write_trials(source: Source, target: object, write: Callable[[FinishedTrial], bool]) -> Iterator[str]:
    """Write each finished trial, and yield a line for each sweep; arguments and errors are those of `finished_trials`.

    Args:
        source: what there is to export.
        target: where it goes to, for the lines.
        write: writes a trial unless it is there as it is, and returns whether it did.
    """
    for trials in finished_trials(source.database, source.sweep, source.definition):
        if trials:
            written = sum(map(write, trials))
            yield f"{target}  {trials[0].sweep}: {len(trials)} runs, {written} of them written now"


def _trials_of(connection: Connection, sweep_id: str, definition: str) -> list[FinishedTrial]:
    rows = query(
        connection,
        "select trials.*, sweeps.name as sweep, sweep_id, group_id "
        "from sweeps join sweep_trials using (sweep_id) join trials using (trial_id) "
        "where sweep_id = $id order by trials.kind, trial_id",
        id=sweep_id,
    )
    epochs = "from epochs semi join (from sweep_trials where sweep_id = $id) using (trial_id) order by epoch"
    curves: dict[str, dict[int, dict[str, float]]] = defaultdict(dict)
    for row in query(connection, epochs, id=sweep_id).to_dicts():
        curves[row["trial_id"]][row["epoch"]] = {curve: row[curve] for curve in CURVES if row[curve] is not None}
    labels, scores = _labels(connection, sweep_id), _scores(connection, sweep_id, definition)
    trials = []
    for row in rows.to_dicts():
        config = json.loads(row["config"])
        settings = {**{key: row[key] for key in SETTINGS}, **{key: config.get(key) for key in CONFIG}}
        settings["schedule"] = str(Choice.model_validate(config["schedule"]))
        factor = "" if row["lr_batch_factor"] == 1 else f"k={row['lr_batch_factor']:g} "
        tried = f"lr={row['learning_rate']:.4g} batch={row['batch_size']}"
        which = tried if row["kind"] == "tune" else f"{factor}r{row['replicate']}"
        label = labels.get(row["group_id"], f"{row['network']} {format_width(row['width'])}x {row['initializer']}")
        trials.append(
            FinishedTrial(
                **{key: row[key] for key in ("sweep", "sweep_id", "trial_id", "kind", "status", "seconds")},
                name=f"{label} {which} {row['config_id']}",
                settings={key: value for key, value in settings.items() if value is not None},
                epochs=curves[row["trial_id"]],
                scores={key: row[key] for key in ACCURACIES if row[key] is not None} | scores[row["trial_id"]],
                definition=definition,
                environment={"device": row["device"] or "none", **json.loads(row["environment"])},
                finished_at=row["finished_at"].replace(tzinfo=UTC),
            )
        )
    return trials


def _labels(connection: Connection, sweep_id: str) -> dict[str, str]:
    """Return what a sweep's settings are called; nothing for a sweep of a version that this one cannot read."""
    rows = query(connection, "select definition::varchar as text from sweeps where sweep_id = $id", id=sweep_id)
    try:
        groups = load_definition(rows["text"][0]).groups()
    except ConfigError:
        return {}
    return dict(zip((group.template.config_id for group in groups), setting_labels(groups), strict=True))


def _scores(connection: Connection, sweep_id: str, definition: str) -> dict[str, dict[str, float]]:
    """Return each trial's scores: what `trial_scores` has beside settings and deviations."""
    settings = query(connection, "from final_trials limit 0").columns
    sql = "select * from trial_scores where sweep_id = $id and definition = $definition"
    rows = query(connection, sql, id=sweep_id, definition=definition)
    scored = cs.exclude(*settings, "definition", "split") - cs.ends_with("_std")
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    for trial_id, split, score, value in rows.unpivot(scored, index=["trial_id", "split"]).drop_nulls().iter_rows():
        # To 12 digits: the order in which threads add up differs, and a trial is to be the same again.
        scores[trial_id][f"{split}_{score}"] = float(f"{value:.12g}")
    return scores
