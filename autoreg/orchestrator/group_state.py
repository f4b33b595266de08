"""Where one group of trials stands, without Ray."""

from dataclasses import dataclass, field

from autoreg.config.group import Group
from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.study import GroupStudy
from autoreg.runs.folder import Runs


@dataclass(frozen=True)
class Assignment:
    """One trial to be trained.

    Attributes:
        config: the trial.
        trial_id: its id.
        prune_below: when to give it up; see `train_trial`.
        shorter: the id of the finished trial that it goes on from, or None.
        is_continued: whether a longer trial will go on from it.
        attempt: how often it was handed out before.
        alone: whether it is to have a whole machine for itself, since it ran out of memory beside others.
    """

    config: TrialConfig
    trial_id: str
    prune_below: list[float | None] = field(default_factory=list)
    shorter: str | None = None
    is_continued: bool = False
    attempt: int = 0
    alone: bool = False


class GroupState:
    """Where one group stands: first its search, then its final trials."""

    def __init__(self, group: Group, runs: Runs) -> None:
        self.group = group
        self.group_id = group.template.config_id
        self.study = GroupStudy(group, runs) if group.tune else None
        self._runs = runs
        self._finals: dict[str, TrialConfig] | None = None
        self._trained: set[str] = set()

    def tuning_trials(self) -> dict[str, TrialConfig]:
        """Return the tuning trials proposed so far, by id."""
        if self.study is None:
            return {}
        return {made.trial_id: made.config for made in self.study.proposals[: self.study.tune.trials]}

    def final_trials(self) -> dict[str, TrialConfig] | None:
        """Return the final trials by id, or None while the best setting is not known; empty if the search found none.

        They are worked out once: a sweep of thousands of trials asks often.
        """
        if self._finals is None:
            setting: dict[str, object] | None = {}
            if self.study is not None:
                if not self.study.is_finished:
                    return None
                best = self.study.best()
                setting = best.setting if best else None
                self.study.forget()
            configs = [] if setting is None else self.group.final_trials(setting)
            self._finals = {config.trial_id: config for config in configs}
        return self._finals

    def next(self, in_flight: set[str]) -> Assignment | None:
        """Return a trial of this group that can start now, or None."""
        finals = self.final_trials()
        if finals is not None:
            ready = (trial_id for trial_id in finals if self._can_start(trial_id, finals[trial_id], in_flight))
            return next((self._final(trial_id, finals[trial_id]) for trial_id in ready), None)
        assert self.study is not None
        for made in self.study.proposals[: self.study.tune.trials]:
            if self._is_open(made.trial_id, in_flight):
                return Assignment(made.config, made.trial_id, self.study.prune_below(made.number))
        while len(self.study.proposals) < self.study.tune.trials:
            new = self.study.propose()
            if new is None:
                return None
            if self._is_open(new.trial_id, in_flight):  # else another sweep has trained it already
                return Assignment(new.config, new.trial_id, self.study.prune_below(new.number))
        return self.next(in_flight) if self.study.is_finished else None

    def is_trained(self, trial_id: str) -> bool:
        """Whether a trial has ended. What has ended stays so, and is not looked up again."""
        if trial_id not in self._trained and self._runs.trial(trial_id).is_trained:
            self._trained.add(trial_id)
        return trial_id in self._trained

    def reopen(self, trial_id: str) -> None:
        """Take note that the result of one of its trials was removed."""
        self._trained.discard(trial_id)
        if self.study and trial_id in self.tuning_trials():
            self.study.forget(trial_id)
            self._finals = None

    def forget_states(self) -> None:
        """Remove what finished trials kept for longer ones that need it no more; a killed sweep may have left it."""
        for trial_id, config in (self.tuning_trials() | (self.final_trials() or {})).items():
            if self.is_trained(trial_id) and not (config.kind == "final" and self._is_continued(config)):
                self._runs.trial(trial_id).forget_state()

    def is_finished(self) -> bool:
        """Whether nothing of this group is left to train."""
        finals = self.final_trials()
        return finals is not None and all(map(self.is_trained, finals))

    def _can_start(self, trial_id: str, config: TrialConfig, in_flight: set[str]) -> bool:
        if not self._is_open(trial_id, in_flight):
            return False
        shorter = self.group.shorter(config)
        return shorter is None or self.is_trained(shorter.trial_id)

    def _final(self, trial_id: str, config: TrialConfig) -> Assignment:
        shorter = self.group.shorter(config)
        return Assignment(
            config,
            trial_id,
            shorter=shorter.trial_id if shorter else None,
            is_continued=self._is_continued(config),
        )

    def _is_continued(self, config: TrialConfig) -> bool:
        longer = self.group.longer(config)
        return bool(longer) and not self.is_trained(longer[0].trial_id)

    def _is_open(self, trial_id: str, in_flight: set[str]) -> bool:
        return trial_id not in in_flight and not self.is_trained(trial_id)
