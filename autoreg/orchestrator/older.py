"""Trials of the version before, whose ids had the hash of the one file that was named: they count as done."""

from dataclasses import replace

from autoreg.config.group import Group
from autoreg.config.trial import CHOICES, TrialConfig
from autoreg.metrics.registries import REGISTRIES
from autoreg.orchestrator.schedule import Schedule
from autoreg.runs.folder import Runs
from autoreg.runs.records import DamagedResult


def recalled(group: Group, runs: Runs) -> Group:
    """Return a group that knows its trials by their older ids where they are trained under those and not anew.

    Its search goes on from the proposals of before. Nothing that is still to train gets an older id.
    """
    own = {field: getattr(group.template, field) for field in CHOICES if getattr(group.template, field).source}
    sources = {field: REGISTRIES[f"{field}s"].source_of_file(choice.name) for field, choice in own.items()}
    older = {field: choice.model_copy(update={"source": sources[field]}) for field, choice in own.items()}
    if not older:
        return group

    def known(config: TrialConfig) -> TrialConfig:
        before = config.model_copy(update=older)
        return before if _is_done(before, runs) and not _is_done(config, runs) else config

    if group.tune:
        study = replace(group, template=group.template.model_copy(update=older)).study_id
        is_there = runs.study_path(study).is_file() and not runs.study_path(group.study_id).is_file()
        group = replace(group, searched_as=study if is_there else None)
    return replace(group, known=known)


def _is_done(config: TrialConfig, runs: Runs) -> bool:
    folder = runs.trial(config.trial_id)
    try:
        return folder.is_trained and folder.read_result().status != "failed"
    except DamagedResult:
        return False


def older_note(schedule: Schedule) -> list[str]:
    """Return a line if some trials of a schedule are known by older ids, else none."""
    now = {getattr(state.group.template, field).source for state in schedule.states for field in CHOICES}
    older = [
        config.trial_id
        for _, config in schedule.planned()
        if not now.issuperset(getattr(config, field).source for field in CHOICES)
    ]
    if not older:
        return []
    what = "1 trial was" if len(set(older)) == 1 else f"{len(set(older))} trials were"
    return [
        f"{what} trained by an earlier version, which did not see the modules that your files import: if one has "
        "changed since, use another run folder"
    ]
