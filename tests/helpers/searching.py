"""Trials handed out, searches proposed and results taken as the runner of a sweep does it, without training."""

from collections.abc import Callable
from typing import Any

from autoreg.config.group import Group
from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.jobs import TrialJob
from autoreg.orchestrator.schedule import Schedule
from autoreg.orchestrator.search import Proposal, Search
from autoreg.orchestrator.study import load_search, propose
from autoreg.runs.folder import Runs


def next_of(schedule: Schedule, runs: Runs) -> TrialJob | None:
    """Hand out the next trial that is not trained yet, once the search that it belongs to has proposed it."""
    while True:
        if job := schedule.next():
            if not runs.trial(job.trial_id).is_trained:
                return job
            end(schedule, job.config, runs)
        elif study_id := schedule.waiting_study:
            schedule.propose(study_id, propose(schedule.search(study_id), runs))
        else:
            return None


def end(schedule: Schedule, config: TrialConfig, runs: Runs) -> None:
    """Take a trial's result from the run folder."""
    schedule.end(config, runs.trial(config.trial_id).read_result())


class RecordedSearch:
    """A group's search over a run folder: proposals are written down, results read."""

    def __init__(self, group: Group, runs: Runs) -> None:
        self._runs, self._group = runs, group

    @property
    def search(self) -> Search:
        """The search as the run folder has it."""
        return load_search(self._group, self._runs)

    def propose(self) -> Proposal | None:
        """Propose the next, unless it has to wait for others."""
        search = self.search
        return search.propose(propose(search, self._runs)) if search.can_propose else None

    def run(self, finish: Callable[..., Any]) -> list[Proposal]:
        """Propose and finish all that is left."""
        while proposal := self.propose():
            finish(proposal.config)
        return self.search.proposals
