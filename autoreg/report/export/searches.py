"""Every search of a run folder, from its records alone: what each sweep asked for, and what its trials found."""

import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from optuna.trial import FrozenTrial

from autoreg.config.group import Group, setting_labels
from autoreg.config.sweep import load_definition
from autoreg.errors import ConfigError, DataError, did_you_mean
from autoreg.orchestrator.study import Search, load_search, optuna_trial
from autoreg.runs.folder import Runs
from autoreg.runs.records import SweepRecord


@dataclass(frozen=True)
class NamedSearch:
    """The search of one group.

    Attributes:
        name: the first sweep that asked for it and the group's setting, with the study's id where others are called so.
        sweeps: the names of the sweeps that ask for it.
        search: its proposals and their results.
    """

    name: str
    sweeps: tuple[str, ...]
    search: Search

    @property
    def score(self) -> str:
        """What it maximises."""
        return "train_accuracy" if self.search.group.template.random_labels else "validation_accuracy"

    def facts(self) -> dict[str, Any]:
        """Return what its trials have in common, as JSON has it."""
        template = self.search.group.template
        fields = template.model_dump(mode="json", exclude={"kind", "replicate", "study"})
        searched = self.search.tune.space.model_dump(exclude_none=True)
        choices = {key: str(getattr(template, key)) for key in fields if isinstance(fields[key], dict)}
        return {
            "sweeps": ", ".join(self.sweeps),
            "study_id": self.search.study_id,
            **{key: value for key, value in (fields | choices).items() if key not in searched},
            "epochs": self.search.tune.epochs,
        }

    def trials(self) -> list[FrozenTrial]:
        """Return every proposal with when and how it ended; those that have not ended wait."""
        trials = []
        for proposal in self.search.proposals:
            trial = optuna_trial(self.search, proposal)
            if result := self.search.result(proposal):
                # Optuna has local times without a zone.
                ended = datetime.fromisoformat(result.finished_at).astimezone().replace(tzinfo=None)
                trial.datetime_start, trial.datetime_complete = ended - timedelta(seconds=result.seconds), ended
                trial.user_attrs |= {"status": result.status, "epochs_run": result.epochs_run}
                trial.user_attrs |= {"error": result.error.splitlines()[0]} if result.error else {}
            trials.append(trial)
        return trials


def searches(runs: Runs, sweep: str | None = None) -> list[NamedSearch]:
    """Return every search that was begun, by the time of the sweeps that asked for them first.

    Args:
        runs: the run folder.
        sweep: a sweep's name or id, for those that it asks for; None for all.

    Raises:
        ConfigError: there is no such sweep, or one is of a version that this one cannot read.
        DataError: a record is damaged.
    """
    asked: dict[str, tuple[Group, dict[str, str]]] = {}
    for record in _records(runs, sweep):
        try:
            groups = load_definition(json.dumps(record.definition)).groups()
        except ConfigError as error:
            raise DataError(f"{runs.sweep_path(record.sweep_id)}: {error}") from error
        for group, label in zip(groups, setting_labels(groups), strict=True):
            if group.tune:
                asked.setdefault(group.study_id, (group, {}))[1].setdefault(record.name, f"{record.name}: {label}")
    named = [
        NamedSearch(next(iter(names.values())), (*names,), load_search(group, runs)) for group, names in asked.values()
    ]
    begun = [search for search in named if search.search.proposals]
    counts = Counter(search.name for search in begun)
    return [
        search if counts[search.name] == 1 else replace(search, name=f"{search.name} [{search.search.study_id}]")
        for search in begun
    ]


def _records(runs: Runs, sweep: str | None) -> list[SweepRecord]:
    records = [runs.read_sweep(path.stem) for path in runs.sweeps.glob("[!.]*.json")]
    records.sort(key=lambda record: (datetime.fromisoformat(record.updated_at), record.sweep_id))
    chosen = [record for record in records if sweep in (None, record.name, record.sweep_id)]
    if sweep is not None and not chosen:
        names = (record.name for record in records)
        raise ConfigError(f"no sweep {sweep!r} in {runs.root}{did_you_mean(sweep, names)}")
    return chosen
