"""What the run folder has of a sweep's trials."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from autoreg.config.group import Group, setting_labels
from autoreg.config.trial import TrialConfig
from autoreg.errors import first_line
from autoreg.orchestrator.older import recalled
from autoreg.orchestrator.schedule import Schedule
from autoreg.orchestrator.study import recorded
from autoreg.runs.folder import Runs, TrialFolder
from autoreg.runs.records import DamagedResult, TrialResult


def begin_schedule(groups: Sequence[Group], runs: Runs) -> Schedule:
    """Return the schedule of some groups with what each proposed before; of no trial it is known that it has ended."""
    schedule = Schedule([recalled(group, runs) for group in groups])
    for state in schedule.states:
        if state.search:
            for hyperparameters in recorded(state.group, runs):
                state.search.propose(hyperparameters)
    return schedule


def load_schedule(groups: Sequence[Group], runs: Runs) -> Schedule:
    """Return the schedule of some groups as the run folder stands. Raises DataError if a tuning result is damaged."""
    schedule = begin_schedule(groups, runs)
    for config, folder in trained_trials(schedule, runs):
        if config.kind == "tune":
            schedule.end(config, folder.read_result())
        else:  # how it ended changes nothing for others
            schedule.ended.add(config.trial_id)
    return schedule


def superseded(groups: Sequence[Group], runs: Runs) -> Iterator[str]:
    """Yield a line for each group that an earlier version trained, or began to tune, as something else than this one.

    Its trials are not used: they have other ids.
    """
    for group, label in zip(groups, setting_labels(groups), strict=True):
        before = replace(group, template=group.template.as_before())
        if before == group and group.factors == (1.0,):
            continue
        finals = {config.as_before().trial_id for config in group.final_trials({}) if config != config.as_before()}
        is_begun = group.tune and before != group and recorded(before, runs)
        if is_begun or any(runs.trial(trial_id).is_trained for trial_id in finals):
            yield f"trained anew: {label}: an earlier version computed something else, and its trials keep their ids"


def trained_trials(schedule: Schedule, runs: Runs) -> Iterator[tuple[TrialConfig, TrialFolder]]:
    """Yield each planned trial that is trained, and of which the schedule does not know yet.

    Final trials are known only once the tuning trials have ended: the caller tells the schedule of each trial.
    """
    seen: set[str] = set()
    while fresh := {
        config.trial_id: config for _, config in schedule.planned() if config.trial_id not in schedule.ended | seen
    }:
        seen |= fresh.keys()
        for trial_id, config in fresh.items():
            folder = runs.trial(trial_id)
            if folder.is_trained:
                yield config, folder


def known_result(folder: TrialFolder, say: Callable[[str], object], retry_failed: bool = False) -> TrialResult | None:
    """Return a trial's result; None if there is none, or a damaged one, of which a line is said, or one to be retried.

    Without its result it is an untrained trial afterwards.
    """
    if not folder.is_trained:
        return None
    try:
        result = folder.read_result()
    except DamagedResult as error:
        with folder.locked(give_up=lambda: True) as is_held:
            if is_held:  # else another sweep is at it already
                folder.discard(first_line(error))
        say(f"trained again: {first_line(error)}")
        return None
    if retry_failed and result.status == "failed":
        folder.result_path.unlink()
        return None
    return result
