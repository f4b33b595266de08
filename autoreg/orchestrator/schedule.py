"""What to run next: a plain account of groups, proposals and replicates, without Ray."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from autoreg.config.group import Group
from autoreg.config.trial import TrialConfig
from autoreg.errors import DataError, first_line
from autoreg.orchestrator.group_state import Assignment, GroupState
from autoreg.runs.folder import Runs
from autoreg.runs.records import DamagedResult, TrialResult

#: How often a trial is tried that the machine lets down: a worker that dies, a full disk, a GPU in a bad state.
TRIES = 3


class Schedule:
    """Hands out trials, group by group in the given order, as soon as each can start.

    There is no barrier between tuning and final trials: a group's replicates start when its own search has ended.
    """

    def __init__(self, groups: Sequence[Group], runs: Runs) -> None:
        self.runs = runs
        self.states = [GroupState(group, runs) for group in groups]
        self.in_flight: set[str] = set()
        self._open = list(self.states)
        self._handed_out: Counter[str] = Counter()
        self._wants_to_be_alone: set[str] = set()

    def next(self) -> Assignment | None:
        """Return the next trial and count it as in flight; None if none can start now.

        A trial that is to be alone waits until nothing else can start and nothing is in flight.
        """
        assignment = self._next(self.in_flight | self._wants_to_be_alone)
        if assignment is None and not self.in_flight and self._wants_to_be_alone:
            assignment = self._next(set())
        if assignment is None:
            return None
        trial_id = assignment.trial_id
        attempt, alone = self._handed_out[trial_id], trial_id in self._wants_to_be_alone
        self._handed_out[trial_id] += 1
        self.in_flight.add(trial_id)
        return replace(assignment, attempt=attempt, alone=alone)

    @property
    def handed_out(self) -> int:
        """How many trials were handed out so far."""
        return self._handed_out.total()

    def _next(self, closed: set[str]) -> Assignment | None:
        for state in self._open:
            if assignment := state.next(closed):
                return assignment
        return None

    def is_finished(self) -> bool:
        """Whether every trial has ended."""
        self._open = [state for state in self._open if not state.is_finished()]
        return not self._open

    def finished(self, trial_id: str) -> TrialResult | None:
        """Note that a trial is no longer in flight, and return its result if it has one."""
        self.in_flight.discard(trial_id)
        self._wants_to_be_alone.discard(trial_id)
        folder = self.runs.trial(trial_id)
        return folder.read_result() if folder.is_trained else None

    def try_again(self, trial_id: str, *, alone: bool) -> bool:
        """Note that the machine let a trial down, and return whether it is to be tried again.

        Args:
            trial_id: the trial, which is no longer in flight.
            alone: whether it needs more memory than it had; what does not suffice alone is given up.
        """
        self.in_flight.discard(trial_id)
        if self._handed_out[trial_id] >= TRIES or (alone and trial_id in self._wants_to_be_alone):
            return False
        if alone:
            self._wants_to_be_alone.add(trial_id)
        return True

    def put_back(self, trial_id: str) -> None:
        """Take a trial back that was handed out and has not begun."""
        self.in_flight.discard(trial_id)
        self._handed_out[trial_id] -= 1

    def reopen(self, trial_id: str) -> None:
        """Have a trial trained again whose result was removed."""
        for state in self.states:
            state.reopen(trial_id)
        self._open = list(self.states)

    def forget_failures(self) -> None:
        """Remove the results of failed trials, so that they are trained again."""
        for _, trial_id, _ in list(self.planned()):
            folder = self.runs.trial(trial_id)
            with suppress(DataError):  # what is damaged is trained again in any case
                if folder.is_trained and folder.read_result().status == "failed":
                    folder.result_path.unlink()
                    self.reopen(trial_id)

    def discard_damaged(self) -> list[str]:
        """Have tuning trials tried again whose result cannot be read, and return a line for each.

        Nothing can be said of a search before; final trials are looked at one by one.
        """
        lines = []
        for state in self.states:
            for trial_id in state.tuning_trials():
                try:
                    _ = state.is_trained(trial_id) and self.runs.trial(trial_id).read_result()
                except DamagedResult as error:
                    lines.append(self.discard(trial_id, first_line(error)))
        return lines

    def discard(self, trial_id: str, reason: str) -> str:
        """Have a trial trained again whose files are damaged, and return a line that says so."""
        with self.runs.trial(trial_id).locked(give_up=lambda: True) as is_held:
            if is_held:  # else another sweep is at it already
                self.runs.trial(trial_id).discard(reason)
        self.reopen(trial_id)
        return f"trained again: {reason}"

    def planned(self) -> Iterator[tuple[str, str, TrialConfig]]:
        """Yield every trial that is known so far, with its group's id and its own."""
        for state in self.states:
            for trials in (state.tuning_trials(), state.final_trials() or {}):
                for trial_id, config in trials.items():
                    yield state.group_id, trial_id, config

    def done_count(self) -> int:
        """How many trials have ended already."""
        done = {
            trial_id
            for state in self.states
            for trial_id in (*state.tuning_trials(), *(state.final_trials() or {}))
            if state.is_trained(trial_id)
        }
        return len(done)
