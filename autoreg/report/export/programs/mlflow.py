"""Trials as runs of MLflow: an experiment for each sweep."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from autoreg.errors import DataError, first_line
from autoreg.report.export.exporter import Source, exporter, optional

if TYPE_CHECKING:
    from autoreg.report.export.trials import FinishedTrial

#: How many metrics MLflow takes at a time.
METRICS_AT_ONCE = 1000
#: Tags of our runs: which trial it is, and the hash of all that was written, which comes last.
TRIAL, CONTENT = "autoreg.trial_id", "autoreg.content"


@exporter("URI")
def mlflow(source: Source, target: str) -> Iterator[str]:
    """Trials of results.db as runs of an MLflow store or server, an experiment for each sweep: sqlite:///mlflow.db.

    A run has the trial's settings, metrics by epoch, scores, and what it ran with as tags. One that is there already is
    left alone if it would not change, else written anew.

    Raises:
        ConfigError: there is no such sweep, or MLflow is not installed.
        DataError: results.db has no sweep, or MLflow refuses.
    """
    with optional("mlflow", "mlflow", "mlflow-skinny"):
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient

    from autoreg.report.export.trials import write_trials

    try:
        client = MlflowClient(tracking_uri=target)
        yield from write_trials(source, target, partial(_write_run, client, cache(partial(_experiment, client))))
    except MlflowException as error:
        raise DataError(f"MLflow at {target}: {first_line(error)}") from error


def _experiment(client: Any, name: str) -> str:
    experiment = client.get_experiment_by_name(name)
    if experiment and experiment.lifecycle_stage != "active":
        raise DataError(f"MLflow's experiment {name!r} is deleted; restore it, or remove it for good (`mlflow gc`)")
    identity: str = experiment.experiment_id if experiment else client.create_experiment(name)
    return identity


def _write_run(client: Any, experiment_of: Callable[[str], str], trial: "FinishedTrial") -> bool:
    from mlflow.entities import Metric, Param

    experiment, content = experiment_of(trial.sweep), trial.content_id
    there = client.search_runs([experiment], f"tags.`{TRIAL}` = '{trial.trial_id}'")
    if [run.data.tags.get(CONTENT) for run in there] == [content]:
        return False
    for run in there:  # changed since, or half written by a process that was killed
        client.delete_run(run.info.run_id)
    ended = int(trial.finished_at.timestamp() * 1000)
    facts = ("trial_id", "sweep", "sweep_id", "kind", "status", "definition")
    tags = {name: getattr(trial, name) for name in facts} | trial.environment
    run = client.create_run(
        experiment, start_time=ended - int(trial.seconds * 1000), run_name=trial.name,
        tags={f"autoreg.{name}": text for name, text in tags.items()},
    )  # fmt: skip
    metrics = [
        Metric(curve, value, ended, epoch) for epoch, values in trial.epochs.items() for curve, value in values.items()
    ]
    # Scores are of the kept weights, and must not continue the curve of the same name.
    last = max(trial.epochs, default=0)
    metrics += [Metric(f"final_{name}", value, ended, last) for name, value in trial.scores.items()]
    client.log_batch(run.info.run_id, params=[Param(name, str(value)) for name, value in trial.settings.items()])
    for start in range(0, len(metrics), METRICS_AT_ONCE):
        client.log_batch(run.info.run_id, metrics=metrics[start : start + METRICS_AT_ONCE])
    client.set_terminated(run.info.run_id, "FAILED" if trial.status == "failed" else "FINISHED", end_time=ended)
    client.set_tag(run.info.run_id, CONTENT, content)
    return True
