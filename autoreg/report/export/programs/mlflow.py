"""Trials as runs of MLflow: an experiment for each sweep."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from autoreg.report.export.exporter import Source, exporter, optional

if TYPE_CHECKING:
    from autoreg.report.export.trials import FinishedTrial

#: What MLflow takes at a time.
METRICS_AT_ONCE = 1000
RUNS_AT_ONCE = 1000
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

    from autoreg.errors import DataError, first_line
    from autoreg.report.export.trials import finished_trials

    sweeps = finished_trials(source.database, source.sweep, source.definition)
    try:
        client = MlflowClient(tracking_uri=target)
        for trials in sweeps:
            if trials:
                written = _write_sweep(client, trials)
                yield f"{target}  {trials[0].sweep}: {len(trials)} runs, {written} of them written now"
    except MlflowException as error:
        raise DataError(f"MLflow at {target}: {first_line(error)}") from error


def _write_sweep(client: Any, trials: "list[FinishedTrial]") -> int:
    experiment = _experiment(client, trials[0].sweep)
    there = _runs_of(client, experiment)
    written = 0
    for trial in trials:
        content = trial.content_id
        known = there.get(trial.trial_id, [])
        if [run.data.tags.get(CONTENT) for run in known] == [content]:
            continue
        for run in known:  # changed since, or half written by a process that was killed
            client.delete_run(run.info.run_id)
        _write_run(client, experiment, trial, content)
        written += 1
    return written


def _experiment(client: Any, name: str) -> str:
    from autoreg.errors import DataError

    found = client.get_experiment_by_name(name)
    if found is None:
        created: str = client.create_experiment(name)
        return created
    if found.lifecycle_stage != "active":
        raise DataError(f"MLflow's experiment {name!r} is deleted; restore it, or remove it for good (`mlflow gc`)")
    identity: str = found.experiment_id
    return identity


def _runs_of(client: Any, experiment: str) -> dict[str, list[Any]]:
    """Return the experiment's runs that an export wrote, by trial."""
    found: dict[str, list[Any]] = {}
    token = None
    while True:
        page = client.search_runs([experiment], max_results=RUNS_AT_ONCE, page_token=token)
        for run in page:
            if TRIAL in run.data.tags:
                found.setdefault(run.data.tags[TRIAL], []).append(run)
        token = page.token
        if not token:
            return found


def _write_run(client: Any, experiment: str, trial: "FinishedTrial", content: str) -> None:
    from mlflow.entities import Metric, Param

    ended = int(trial.finished_at.timestamp() * 1000)
    started = ended - int(trial.seconds * 1000)
    run = client.create_run(experiment, start_time=started, run_name=trial.name, tags=_tags(trial))
    identity = run.info.run_id
    params = [Param(name, str(value)) for name, value in trial.settings.items()]
    metrics = [
        Metric(curve, value, ended, epoch)
        for curve, values in trial.curves.items()
        for epoch, value in zip(trial.epochs, values, strict=True)
        if value is not None
    ]
    last = trial.epochs[-1] if trial.epochs else 0
    # Scores are of the kept weights, and must not continue the curve of the same name.
    metrics += [Metric(f"final_{name}", value, ended, last) for name, value in trial.scores.items()]
    client.log_batch(identity, params=params)
    for start in range(0, len(metrics), METRICS_AT_ONCE):
        client.log_batch(identity, metrics=metrics[start : start + METRICS_AT_ONCE])
    client.set_terminated(identity, "FAILED" if trial.status == "failed" else "FINISHED", end_time=ended)
    client.set_tag(identity, CONTENT, content)


def _tags(trial: "FinishedTrial") -> dict[str, str]:
    tags = {"trial_id": trial.trial_id, "sweep": trial.sweep, "sweep_id": trial.sweep_id}
    tags |= {"kind": trial.kind, "status": trial.status, "definition": trial.definition} | trial.environment
    return {f"autoreg.{name}": text for name, text in tags.items()}
