"""What to run next: an account of groups, proposals and replicates, without files, Ray or a clock."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from autoreg.config.group import Group
from autoreg.config.trial import TrialConfig
from autoreg.orchestrator.failure import MOST_UNREACHED
from autoreg.orchestrator.group_state import GroupState
from autoreg.orchestrator.jobs import TrialJob
from autoreg.orchestrator.search import Search
from autoreg.runs.describe import describe
from autoreg.runs.records import TrialResult


class Schedule:
    """Hands out trials, group by group in the given order, as soon as each can start.

    There is no barrier between tuning and final trials: a group's replicates start when its own search has ended.
    """

    def __init__(self, groups: Sequence[Group]) -> None:
        self.ended: set[str] = set()
        self._failed: set[str] = set()
        self.states = [GroupState(group, self.ended) for group in groups]
        self.in_flight: dict[str, TrialConfig] = {}
        self._open = list(self.states)
        self._attempts, self._unreached = Counter[str](), Counter[str]()
        self._wants_to_be_alone: set[str] = set()
        self._variants: dict[str, tuple[str | None, ...]] = {}
        self._searches: dict[str, list[Search]] = {}
        for search in filter(None, (state.search for state in self.states)):
            self._searches.setdefault(search.study_id, []).append(search)
        #: The search whose next proposal the last `next` lacked.
        self.waiting_study: str | None = None

    def next(self) -> TrialJob | None:
        """Return the next trial and count it as in flight; None if none can start now, see `waiting_study`.

        A trial that is to be alone waits until nothing else can start and nothing is in flight.
        """
        self.waiting_study = None
        job = self._next(self.in_flight.keys() | self._wants_to_be_alone)
        if job is None and not (self.in_flight or self.waiting_study) and self._wants_to_be_alone:
            job = self._next(set())
        if job is None:
            return None
        trial_id = job.trial_id
        job = replace(job, attempt=self._attempts[trial_id], is_alone=trial_id in self._wants_to_be_alone)
        self._attempts[trial_id] += 1
        self.in_flight[trial_id] = job.config
        return job

    def _next(self, closed: set[str]) -> TrialJob | None:
        for state in self._open:
            if job := state.next(closed):
                self._variants[job.trial_id] = state.group.variants
                return job
            if state.can_propose:
                assert state.search is not None
                self.waiting_study = state.search.study_id
                return None
        return None

    def propose(self, study_id: str, hyperparameters: dict[str, object]) -> None:
        """Add the next proposal of a search."""
        for search in self._searches[study_id]:
            search.propose(hyperparameters)

    def search(self, study_id: str) -> Search:
        """Return a search by its id; groups that share it know the same of it."""
        return self._searches[study_id][0]

    @property
    def handed_out(self) -> int:
        """How many trials were handed out so far."""
        return self._attempts.total()

    def is_finished(self) -> bool:
        """Whether every trial has ended."""
        self._open = [state for state in self._open if not state.is_finished()]
        return not self._open

    def end(self, config: TrialConfig, result: TrialResult | None) -> None:
        """Take note that a trial is no longer in flight; without a result it was stopped."""
        trial_id = config.trial_id
        self.in_flight.pop(trial_id, None)
        self._wants_to_be_alone.discard(trial_id)
        if result is None:
            return
        self.ended.add(trial_id)
        if result.status == "failed":
            self._failed.add(trial_id)
        if config.kind == "tune":
            for search in self._searches.get(config.study or "", []):
                search.end(trial_id, result)

    def is_at(self, job: TrialJob) -> bool:
        """Whether a trial is in flight as it was handed out there, and not since for another try."""
        return job.trial_id in self.in_flight and self._attempts[job.trial_id] == job.attempt + 1

    def variants(self, trial_id: str) -> tuple[str | None, ...]:
        """Return the variants of the group for which a trial was handed out."""
        return self._variants[trial_id]

    def tries(self, trial_id: str) -> int:
        """How often a trial was tried: handed out, but for the times that its process was out of reach."""
        return self._attempts[trial_id] - min(self._unreached[trial_id], MOST_UNREACHED)

    def note_unreached(self, trial_id: str) -> None:
        """Take note that the process of a trial's last try is out of reach."""
        self._unreached[trial_id] += 1

    def is_alone(self, trial_id: str) -> bool:
        """Whether a trial is, or is to be, alone on a machine."""
        return trial_id in self._wants_to_be_alone

    def try_again(self, trial_id: str, *, alone: bool) -> None:
        """Have a trial tried again that is no longer in flight; alone if it needs more memory than it had."""
        self.in_flight.pop(trial_id, None)
        if alone:
            self._wants_to_be_alone.add(trial_id)

    def put_back(self, trial_id: str) -> None:
        """Take a trial back that was handed out and has not begun."""
        self.in_flight.pop(trial_id, None)
        self._attempts[trial_id] -= 1

    def reopen(self, trial_id: str) -> None:
        """Have a final trial trained again whose result was removed."""
        self.ended.discard(trial_id)
        self._open = list(self.states)

    def planned(self) -> Iterator[tuple[str, TrialConfig]]:
        """Yield every trial that is known so far, with its group's id."""
        for state in self.states:
            for trials in (state.tuning_trials(), state.final_trials() or {}):
                for config in trials.values():
                    yield state.group_id, config

    def spent_states(self) -> Iterator[str]:
        """Yield the trials whose saved state nothing needs: no longer trial, nor, since it failed, the trial itself."""
        spent = self.ended - self._failed
        for state in self.states:
            yield from spent.intersection(state.tuning_trials())
            for trial_id, config in (state.final_trials() or {}).items():
                longer = state.group.successor(config)
                if trial_id in spent and (longer is None or longer.trial_id in spent):
                    yield trial_id

    def in_vain(self) -> Iterator[str]:
        """Yield a line for each search that found nothing."""
        for state in self.states:
            if state.group.final_count and state.final_trials() == {}:
                yield f"no tuning trial of {describe(state.group.template)} succeeded, so it has no final trials"
