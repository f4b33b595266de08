"""One Optuna study for each group, made anew from the run folder whenever it is asked for something."""

import json
from dataclasses import dataclass
from statistics import median
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from autoreg.config.group import Group
from autoreg.config.sections import Space
from autoreg.config.trial import TrialConfig
from autoreg.errors import DataError
from autoreg.files import read_json, write_text
from autoreg.runs.folder import Runs
from autoreg.runs.records import TrialResult, selection_score
from autoreg.seeds import derive_seed

#: How often a proposal that repeats an earlier one is drawn again, before a small space is taken to be exhausted.
REDRAWS = 20

Setting = dict[str, Any]


@dataclass(frozen=True)
class Proposal:
    """One setting that a group tries."""

    number: int
    setting: Setting
    config: TrialConfig
    trial_id: str


class GroupStudy:
    """The search of one group.

    What it knows is in the run folder: the proposals, each written down before its trial is launched, and the finished
    trials. A proposal depends on the group, its number and the results of earlier rounds only, so a sweep that was
    killed, or that runs more trials at once, proposes the same settings. The first round is `tune.startup` proposals;
    each later one is a round of its own.
    """

    def __init__(self, group: Group, runs: Runs) -> None:
        assert group.tune is not None
        self.group = group
        self.tune = group.tune
        self._runs = runs
        self._path = runs.study_path(group.study_id)
        self._space = _distributions(self.tune.space)
        self.proposals = [self._proposal(number, setting) for number, setting in enumerate(self._recorded())]
        self._results: dict[str, TrialResult] = {}

    def propose(self) -> Proposal | None:
        """Return the next proposal and write it down; None if it has to wait for trials that still run.

        Raises ValueError when all trials of the search have been proposed.
        """
        number = len(self.proposals)
        if number >= self.tune.trials:
            raise ValueError(f"all {self.tune.trials} trials of study {self.group.study_id} are proposed")
        if number >= self.tune.startup and not all(map(self.result, self.proposals)):
            return None
        proposal = self._proposal(number, self._draw(number))
        self.proposals.append(proposal)
        record = {"study_id": self.group.study_id, "proposals": [made.setting for made in self.proposals]}
        write_text(self._path, json.dumps(record, sort_keys=True) + "\n")
        return proposal

    def result(self, proposal: Proposal) -> TrialResult | None:
        """Return the result of a proposal's trial, or None while it has none."""
        trial_id = proposal.trial_id
        if trial_id not in self._results:
            folder = self._runs.trial(trial_id)
            if not folder.is_trained:
                return None
            self._results[trial_id] = folder.read_result()
        return self._results[trial_id]

    def forget(self, trial_id: str | None = None) -> None:
        """Read a trial's result, or those of all, again next time."""
        if trial_id is None:
            self._results.clear()
        self._results.pop(trial_id or "", None)

    @property
    def is_finished(self) -> bool:
        """Whether every trial of the search has ended."""
        wanted = self.proposals[: self.tune.trials]
        return len(wanted) == self.tune.trials and all(map(self.result, wanted))

    def best(self) -> Proposal | None:
        """Return the proposal with the highest score (the earliest of several), None if all failed."""
        scores = {
            proposal.number: score
            for proposal in self.proposals[: self.tune.trials]
            if (score := self._score(proposal)) is not None
        }
        return self.proposals[max(scores, key=lambda number: (scores[number], -number))] if scores else None

    def prune_below(self, number: int) -> list[float | None]:
        """Return, for each epoch, the score that proposal `number` must reach to go on.

        It is the median over the finished trials of earlier rounds of their score at that epoch, to be reached by
        the best score so far: the rule of Optuna's `MedianPruner`. It is known before the trial starts, so the
        worker applies it by itself, and what else runs at that moment makes no difference.
        """
        if self.tune.pruning == "none" or number < self.tune.startup:
            return []
        results = [self.result(proposal) for proposal in self.proposals[:number]]
        curves = [
            [selection_score(self.group.template, epoch) for epoch in result.epochs]
            for result in results
            if result and result.status == "done" and result.epochs
        ]
        if not curves:
            return []
        return [
            median(curve[min(epoch, len(curve) - 1)] for curve in curves) if epoch >= self.tune.warmup else None
            for epoch in range(self.tune.epochs)
        ]

    def study(self) -> optuna.Study:
        """Return the group's Optuna study as it stands."""
        return self._study_of(len(self.proposals), seed=0)

    def _score(self, proposal: Proposal) -> float | None:
        result = self.result(proposal)
        best = result.best_epoch if result and result.status == "done" else None
        if not result or not best or best > len(result.epochs):  # more epochs than there are: a planted result
            return None
        return selection_score(self.group.template, result.epochs[best - 1])

    def _recorded(self) -> list[Setting]:
        """Return the settings proposed before. If their file is damaged, they are drawn again, and are the same."""
        if not self._path.is_file():
            return []
        try:
            recorded: list[Setting] = read_json(self._path)["proposals"]
            return recorded if all(map(self._is_possible, recorded)) else []
        except (DataError, KeyError, TypeError, AttributeError):
            return []

    def _is_possible(self, setting: Setting) -> bool:
        """Whether a recorded setting is one that the search can propose."""
        rates, sizes = self.tune.space.learning_rate, self.tune.space.batch_size
        return setting.keys() == self._space.keys() and (
            (rates is None or rates.low <= setting["learning_rate"] <= rates.high)
            and (sizes is None or setting["batch_size"] in sizes)
        )

    def _proposal(self, number: int, setting: Setting) -> Proposal:
        config = self.group.tuning_trial(setting)
        return Proposal(number, setting, config, config.trial_id)

    def _draw(self, number: int) -> Setting:
        if number == 0:  # the setting that the sweep file names is tried first
            return {name: getattr(self.group.template, name) for name in self._space}
        setting: Setting = {}
        for attempt in range(REDRAWS):
            seed = derive_seed(self.group.study_id, "proposal", number, attempt) % 2**32
            drawn = self._study_of(number if number >= self.tune.startup else 0, seed).ask(self._space).params
            setting = {name: self._rounded(name, value) for name, value in drawn.items()}
            if all(setting != earlier.setting for earlier in self.proposals):
                break
        return setting

    def _rounded(self, name: str, value: Any) -> Any:
        distribution = self._space[name]
        if not isinstance(distribution, FloatDistribution):
            return value
        return min(max(float(f"{value:.4g}"), distribution.low), distribution.high)

    def _study_of(self, count: int, seed: int) -> optuna.Study:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=self.tune.startup)
        study = optuna.create_study(direction="maximize", sampler=sampler, study_name=self.group.study_id)
        for proposal in self.proposals[:count]:
            if self.result(proposal):
                study.add_trial(self.frozen(proposal))
        return study

    def frozen(self, proposal: Proposal) -> FrozenTrial:
        """Return a proposal as Optuna has it: waiting while its trial has no result."""
        result = self.result(proposal)
        score = self._score(proposal)
        states = {"done": TrialState.FAIL if score is None else TrialState.COMPLETE, "pruned": TrialState.PRUNED}
        state = states.get(result.status, TrialState.FAIL) if result else TrialState.WAITING
        epochs = result.epochs if result else []
        return create_trial(
            state=state,
            value=score if state == TrialState.COMPLETE else None,
            params=proposal.setting,
            distributions=self._space,
            intermediate_values={epoch.epoch: selection_score(self.group.template, epoch) for epoch in epochs},
            user_attrs={"trial_id": proposal.trial_id},
        )


def _distributions(space: Space) -> dict[str, BaseDistribution]:
    found: dict[str, BaseDistribution] = {}
    if space.learning_rate:
        found["learning_rate"] = FloatDistribution(space.learning_rate.low, space.learning_rate.high, log=True)
    if space.batch_size:
        found["batch_size"] = CategoricalDistribution(space.batch_size)
    return found
