"""Whether what a sweep has trained was trained on the data that is there now."""

from collections.abc import Iterator

from autoreg.config.trial import TrialConfig
from autoreg.errors import DataError
from autoreg.orchestrator.plan import Plan
from autoreg.orchestrator.schedule import Schedule
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.records import TrialResult
from autoreg.training.trained import check_data


def data_notes(plan: Plan, runs: Runs, config: TrialConfig, folder: TrialFolder, result: TrialResult) -> list[str]:
    """Return what is to be said of a trial's data, as `check_data`; its error names all trials of other data."""
    try:
        return check_data(folder, result, plan.fingerprints(config))
    except DataError:
        require_same_data(plan, plan.schedule(runs), runs)
        raise


def require_same_data(plan: Plan, schedule: Schedule, runs: Runs) -> None:
    """Raise DataError if trials of a sweep that have ended were trained on other data than what is there now."""
    other = list(_of_other_data(plan, schedule, runs))
    if other:
        (folder, before, now), count = other[0], len(other)
        name, trials = plan.sweep.name, "trials were" if count > 1 else "trial was"
        raise DataError(
            f"{name}: {count} {trials} trained on other data than is there now, such as {folder.trial_id} ({before}, "
            f"now {now}); `autoreg forget --sweep {name}` removes them"
        )


def _of_other_data(plan: Plan, schedule: Schedule, runs: Runs) -> Iterator[tuple[TrialFolder, str, str]]:
    planned: dict[str, TrialConfig] = {config.trial_id: config for _, config in schedule.planned()}
    for trial_id in planned.keys() & schedule.ended:
        folder, data = runs.trial(trial_id), plan.fingerprints(planned[trial_id])
        if (before := folder.read_result().environment.get("data", data[0])) not in data:
            yield folder, before, data[0]
