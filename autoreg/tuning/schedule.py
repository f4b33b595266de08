"""What to run next: a plain account of groups, proposals and replicates, without Ray."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from autoreg.config import TrialConfig
from autoreg.groups import Group
from autoreg.runs import Runs, TrialResult
from autoreg.tuning.studies import GroupStudy


@dataclass(frozen=True)
class Assignment:
    """One trial to be trained.

    Attributes:
        config: the trial.
        prune_below: when to give it up; see `train_trial`.
        shorter: the id of the finished trial that it goes on from, or None.
        is_continued: whether a longer trial will go on from it.
    """

    config: TrialConfig
    prune_below: list[float | None] = field(default_factory=list)
    shorter: str | None = None
    is_continued: bool = False


class GroupState:
    """Where one group stands: first its search, then its final trials."""

    def __init__(self, group: Group, runs: Runs) -> None:
        self.group = group
        self.study = GroupStudy(group, runs) if group.tune else None
        self._runs = runs

    def tuning_trials(self) -> list[TrialConfig]:
        """Return the tuning trials proposed so far."""
        return [proposal.config for proposal in self.study.proposals[: self.study.tune.trials]] if self.study else []

    def final_trials(self) -> list[TrialConfig] | None:
        """Return the final trials, or None while the best setting is not known; empty if the search found none."""
        if self.study is None:
            return self.group.final_trials({})
        if not self.study.is_finished:
            return None
        best = self.study.best()
        return self.group.final_trials(best.setting) if best else []

    def next(self, in_flight: set[str]) -> Assignment | None:
        """Return a trial of this group that can start now, or None."""
        finals = self.final_trials()
        if finals is not None:
            return next((self._final(config) for config in finals if self._can_start(config, in_flight)), None)
        assert self.study is not None
        for proposal in self.study.proposals[: self.study.tune.trials]:
            if self._is_open(proposal.config, in_flight):
                return Assignment(proposal.config, self.study.prune_below(proposal.number))
        while len(self.study.proposals) < self.study.tune.trials:
            made = self.study.propose()
            if made is None:
                return None
            if self._is_open(made.config, in_flight):  # else another sweep has trained it already
                return Assignment(made.config, self.study.prune_below(made.number))
        return self.next(in_flight) if self.study.is_finished else None

    def _can_start(self, config: TrialConfig, in_flight: set[str]) -> bool:
        shorter = self.group.shorter(config)
        is_ready = shorter is None or self._runs.trial(shorter.trial_id).is_trained
        return is_ready and self._is_open(config, in_flight)

    def _final(self, config: TrialConfig) -> Assignment:
        shorter = self.group.shorter(config)
        return Assignment(
            config,
            shorter=shorter.trial_id if shorter else None,
            is_continued=self._is_continued(config),
        )

    def _is_continued(self, config: TrialConfig) -> bool:
        longer = self.group.longer(config)
        return bool(longer) and not self._runs.trial(longer[0].trial_id).is_trained

    def forget_states(self) -> None:
        """Remove what finished trials kept for longer ones that need it no more; a killed sweep may have left it."""
        for config in self.final_trials() or []:
            folder = self._runs.trial(config.trial_id)
            if folder.is_trained and not self._is_continued(config):
                folder.resume_path.unlink(missing_ok=True)

    def is_finished(self) -> bool:
        """Whether nothing of this group is left to train."""
        finals = self.final_trials()
        return finals is not None and all(self._runs.trial(config.trial_id).is_trained for config in finals)

    def _is_open(self, config: TrialConfig, in_flight: set[str]) -> bool:
        return config.trial_id not in in_flight and not self._runs.trial(config.trial_id).is_trained


class Schedule:
    """Hands out trials, group by group in the given order, as soon as each can start.

    There is no barrier between tuning and final trials: a group's replicates start when its own search has ended.
    """

    def __init__(self, groups: Sequence[Group], runs: Runs) -> None:
        self.runs = runs
        self.states = [GroupState(group, runs) for group in groups]
        self.in_flight: set[str] = set()
        self._open = list(self.states)

    def next(self) -> Assignment | None:
        """Return the next trial and count it as in flight; None if none can start now."""
        for state in self._open:
            if assignment := state.next(self.in_flight):
                self.in_flight.add(assignment.config.trial_id)
                return assignment
        return None

    def is_finished(self) -> bool:
        """Whether every trial has ended."""
        self._open = [state for state in self._open if not state.is_finished()]
        return not self._open

    def finished(self, trial_id: str) -> TrialResult | None:
        """Note that a trial is no longer in flight, and return its result if it has one."""
        self.in_flight.discard(trial_id)
        for state in self._open:
            if state.study:
                state.study.forget(trial_id)
        folder = self.runs.trial(trial_id)
        return folder.read_result() if folder.is_trained else None

    def forget_failures(self) -> None:
        """Remove the results of failed trials, so that they are trained again."""
        for _, config in list(self.planned()):
            folder = self.runs.trial(config.trial_id)
            if folder.is_trained and folder.read_result().status == "failed":
                folder.result_path.unlink()
                self.finished(config.trial_id)

    def planned(self) -> Iterator[tuple[Group, TrialConfig]]:
        """Yield every trial that is known so far, with its group."""
        for state in self.states:
            for config in [*state.tuning_trials(), *(state.final_trials() or [])]:
                yield state.group, config

    def done_count(self) -> int:
        """How many trials have ended already."""
        ids = {config.trial_id for _, config in self.planned()}
        return sum(self.runs.trial(trial_id).is_trained for trial_id in ids)
