"""Finished trials of a sweep, as other programs take them: named settings, curves by epoch, scores."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from autoreg.config.group import setting_labels
from autoreg.config.sweep import load_definition
from autoreg.config.trial import Choice, content_id, format_width
from autoreg.database.connection import query, reading
from autoreg.database.schema import Connection
from autoreg.errors import ConfigError, DataError, did_you_mean

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
        epochs: the epochs that were trained, from 1.
        curves: for each of `CURVES` a value an epoch, None where it was not finite.
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
    epochs: list[int]
    curves: dict[str, list[float | None]]
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
        return [_trials_of(connection, sweep_id, definition) for sweep_id in _sweep_ids(connection, database, sweep)]


def _sweep_ids(connection: Connection, database: Path, sweep: str | None) -> list[str]:
    known = query(connection, "select name, sweep_id from sweeps order by updated_at")
    latest = query(connection, "select sweep_id from latest_sweeps")["sweep_id"].to_list()
    if known.is_empty():
        raise DataError(f"{database} has no sweep yet")
    if sweep is None:
        chosen = known.filter(pl.col("sweep_id").is_in(latest))
    elif sweep in known["sweep_id"]:
        chosen = known.filter(pl.col("sweep_id") == sweep)
    elif sweep in known["name"]:
        chosen = known.filter((pl.col("name") == sweep) & pl.col("sweep_id").is_in(latest))
    else:
        raise ConfigError(f"no sweep {sweep!r} in {database}{did_you_mean(sweep, known['name'])}")
    ids: list[str] = chosen["sweep_id"].to_list()
    return ids


def _trials_of(connection: Connection, sweep_id: str, definition: str) -> list[FinishedTrial]:
    asked = "select trial_id from sweep_trials where sweep_id = $id"
    rows = query(
        connection,
        "select trials.*, sweeps.name as sweep, sweep_id, group_id "
        "from sweeps join sweep_trials using (sweep_id) join trials using (trial_id) "
        "where sweep_id = $id order by trials.kind, trial_id",
        id=sweep_id,
    ).to_dicts()
    epochs = query(connection, f"from epochs where trial_id in ({asked}) order by trial_id, epoch", id=sweep_id)
    curves = epochs.partition_by("trial_id", as_dict=True)
    labels = _labels(connection, sweep_id)
    scores = _scores(connection, sweep_id, definition)
    return [
        _trial(
            row,
            curves.get((row["trial_id"],), epochs.clear()),
            labels.get(row["group_id"], f"{row['network']} {format_width(row['width'])}x {row['initializer']}"),
            scores.get(row["trial_id"], {}),
            definition,
        )
        for row in rows
    ]


def _trial(
    row: dict[str, Any], epochs: pl.DataFrame, label: str, measured: dict[str, float], definition: str
) -> FinishedTrial:
    config = json.loads(row["config"])
    settings = {key: row[key] for key in SETTINGS} | {key: config.get(key) for key in CONFIG}
    settings["schedule"] = str(Choice.model_validate(config["schedule"]))
    accuracies = {key: row[key] for key in ACCURACIES if row[key] is not None}
    tried = f"lr={row['learning_rate']:.4g} batch={row['batch_size']}"
    factor = "" if row["lr_batch_factor"] == 1 else f"k={row['lr_batch_factor']:g} "
    which = tried if row["kind"] == "tune" else f"{factor}r{row['replicate']}"
    return FinishedTrial(
        sweep=row["sweep"],
        sweep_id=row["sweep_id"],
        trial_id=row["trial_id"],
        name=f"{label} {which} {row['config_id']}",
        kind=row["kind"],
        status=row["status"],
        settings={key: value for key, value in settings.items() if value is not None},
        epochs=epochs["epoch"].to_list(),
        curves={curve: epochs[curve].to_list() for curve in CURVES},
        scores=accuracies | measured,
        definition=definition,
        environment={"device": row["device"] or "none", **json.loads(row["environment"])},
        seconds=row["seconds"],
        finished_at=row["finished_at"].replace(tzinfo=UTC),
    )


def _labels(connection: Connection, sweep_id: str) -> dict[str, str]:
    """Return what a sweep's settings are called; nothing for a sweep of a version that this one cannot read."""
    rows = query(connection, "select definition::varchar as text from sweeps where sweep_id = $id", id=sweep_id)
    try:
        groups = load_definition(rows["text"][0]).groups()
    except ConfigError:
        return {}
    labels = setting_labels(groups)
    return {group.template.config_id: label for group, label in zip(groups, labels, strict=True)}


def _scores(connection: Connection, sweep_id: str, definition: str) -> dict[str, dict[str, float]]:
    """Return each trial's scores: what `trial_scores` has beside the settings of `final_trials`."""
    settings = query(connection, "from final_trials limit 0").columns
    rows = query(
        connection,
        "select * from trial_scores where sweep_id = $id and definition = $definition",
        id=sweep_id,
        definition=definition,
    )
    columns = [name for name in rows.columns if name not in {*settings, "definition", "split"}]
    scores: dict[str, dict[str, float]] = {}
    for row in rows.to_dicts():
        named = {f"{row['split']}_{score}": _rounded(row[score]) for score in columns if row[score] is not None}
        scores.setdefault(row["trial_id"], {}).update(named)
    return scores


def _rounded(mean: float) -> float:
    """Return a mean to 12 digits: the order in which threads add up differs, and a trial is to be the same again."""
    return float(f"{mean:.12g}")
