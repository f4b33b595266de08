"""Where one group of trials stands: first its search, then its final trials."""

from collections.abc import Set

from autoreg.config.group import Group
from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.jobs import TrialJob
from autoreg.orchestrator.search import Search


class GroupState:
    """Where one group stands.

    Args:
        group: the group.
        ended: the ids of all trials that have ended, also later on; groups of several variants share trials.
    """

    def __init__(self, group: Group, ended: Set[str]) -> None:
        self.group = group
        self.group_id = group.template.config_id
        self.search = Search(group) if group.tune else None
        self._ended = ended
        self._finals: dict[str, TrialConfig] | None = None

    def tuning_trials(self) -> dict[str, TrialConfig]:
        """Return the tuning trials proposed so far, by id."""
        return {proposal.trial_id: proposal.config for proposal in self.search.wanted} if self.search else {}

    def final_trials(self) -> dict[str, TrialConfig] | None:
        """Return the final trials by id, or None while the best setting is not known; empty if the search found none.

        They are worked out once: a sweep of thousands of trials asks often.
        """
        if self._finals is None:
            setting: dict[str, object] | None = {}
            if self.search is not None:
                if not self.search.is_finished:
                    return None
                best = self.search.best()
                setting = best.hyperparameters if best else None
                self.search.forget_results()
            configs = [] if setting is None else self.group.final_trials(setting)
            self._finals = {config.trial_id: config for config in configs}
        return self._finals

    @property
    def can_propose(self) -> bool:
        """Whether its search waits for another proposal."""
        return self.search is not None and self._finals is None and self.search.can_propose

    def next(self, closed: Set[str]) -> TrialJob | None:
        """Return a trial of this group that can start now, or None.

        Args:
            closed: the ids of trials that cannot.
        """
        finals, search = self.final_trials(), self.search
        if search and finals is None:
            for proposal in search.wanted:
                if not (proposal.trial_id in closed or self.is_trained(proposal.trial_id)):
                    return TrialJob(proposal.config, search.prune_below(proposal.number))
        for trial_id, config in (finals or {}).items():
            if trial_id in closed or self.is_trained(trial_id):
                continue
            parent = self.group.parent(config)
            if parent is None or self.is_trained(parent.trial_id):
                return TrialJob(config, (), parent.trial_id if parent else None, self.has_successor(config))
        return None

    def is_trained(self, trial_id: str) -> bool:
        """Whether a trial has ended."""
        return trial_id in self._ended

    def is_finished(self) -> bool:
        """Whether nothing of this group is left to train."""
        finals = self.final_trials()
        return finals is not None and all(map(self.is_trained, finals))

    def has_successor(self, config: TrialConfig) -> bool:
        """Whether a longer trial is still to continue a final one."""
        longer = self.group.successor(config)
        return longer is not None and not self.is_trained(longer.trial_id)
