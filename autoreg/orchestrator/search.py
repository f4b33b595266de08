"""The search of one group: what was proposed, how that ended, and what is the best of it."""

from dataclasses import dataclass
from statistics import median
from typing import Any

from autoreg.config.group import Group
from autoreg.config.trial import TrialConfig
from autoreg.runs.records import TrialResult, selection_score

Hyperparameters = dict[str, Any]


@dataclass(frozen=True)
class Proposal:
    """Hyperparameters that a group tries, and the trial that tries them."""

    number: int
    hyperparameters: Hyperparameters
    config: TrialConfig

    @property
    def trial_id(self) -> str:
        """The trial's id."""
        return self.config.trial_id


class Search:
    """What is known of a group's search.

    The first round is `tune.startup` proposals; each later one is a round of its own. A proposal depends on the group,
    its number and the results of earlier rounds only, so that a sweep which was stopped, or which runs more trials at
    once, proposes the same.
    """

    def __init__(self, group: Group) -> None:
        assert group.tune is not None
        self.group, self.tune = group, group.tune
        self.study_id = group.study_id
        self.proposals: list[Proposal] = []
        self._results: dict[str, TrialResult] = {}

    @property
    def wanted(self) -> list[Proposal]:
        """The proposals that the sweep asks for; a longer search of the same group may have made more."""
        return self.proposals[: self.tune.trials]

    def propose(self, hyperparameters: Hyperparameters) -> Proposal:
        """Add the next proposal."""
        proposal = Proposal(len(self.proposals), hyperparameters, self.group.tuning_trial(hyperparameters))
        self.proposals.append(proposal)
        return proposal

    @property
    def can_propose(self) -> bool:
        """Whether the next proposal does not have to wait for trials that still run, and is asked for."""
        number = len(self.proposals)
        return number < self.tune.trials and (number < self.tune.startup or all(map(self.result, self.proposals)))

    def end(self, trial_id: str, result: TrialResult) -> None:
        """Take note of how a trial ended; one of another search changes nothing."""
        if any(proposal.trial_id == trial_id for proposal in self.proposals):
            self._results[trial_id] = result

    def forget_results(self) -> None:
        """Let go of what is no longer needed once the best is known."""
        self._results.clear()

    def result(self, proposal: Proposal) -> TrialResult | None:
        """Return the result of a proposal's trial, or None while it has none."""
        return self._results.get(proposal.trial_id)

    @property
    def is_finished(self) -> bool:
        """Whether every trial of the search has ended."""
        return len(self.wanted) == self.tune.trials and all(map(self.result, self.wanted))

    def best(self) -> Proposal | None:
        """Return the proposal with the highest score (the earliest of several), None if all failed."""
        scores = [(score, proposal) for proposal in self.wanted if (score := self.score(proposal)) is not None]
        return max(scores, key=lambda pair: (pair[0], -pair[1].number))[1] if scores else None

    def score(self, proposal: Proposal) -> float | None:
        """Return the score of a proposal's kept epoch; None without a good end."""
        result = self.result(proposal)
        best = result.best_epoch if result and result.status == "done" else None
        if not result or not best or best > len(result.epochs):  # fewer epochs than it says: a malicious file
            return None
        return selection_score(self.group.template, result.epochs[best - 1])

    def prune_below(self, number: int) -> tuple[float | None, ...]:
        """Return, for each epoch, the score that proposal `number` must reach to go on.

        It is the median over the finished trials of earlier rounds of their score at that epoch, to be reached by the
        best score so far: the rule of Optuna's `MedianPruner`, but that a trial which ended early counts on with its
        last score. It is known before the trial starts, so the worker applies it by itself, and what else runs at that
        moment makes no difference.
        """
        if self.tune.pruning == "none" or number < self.tune.startup:
            return ()
        results = [self.result(proposal) for proposal in self.proposals[:number]]
        curves = [
            [selection_score(self.group.template, epoch) for epoch in result.epochs]
            for result in results
            if result and result.status == "done" and result.epochs
        ]
        if not curves:
            return ()
        return tuple(
            median(curve[min(epoch, len(curve) - 1)] for curve in curves) if epoch >= self.tune.warmup else None
            for epoch in range(self.tune.epochs)
        )
